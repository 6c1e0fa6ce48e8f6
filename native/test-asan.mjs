// Runs the native tests against builds of the addons onednn and images with AddressSanitizer, LeakSanitizer and
// UndefinedBehaviorSanitizer: what `npm run test:asan` does. Arguments are test files; default all of test/native, the
// suites of all engines in test/engine, and those of pixels and image files. Tests of other engines, which are built
// without sanitizers, are left out.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const compiler = process.env.CXX ?? 'g++';

function skip(reason) {
  console.log(`test:asan skipped: ${reason}`);
  process.exit(0);
}

/** The run-time library that must be loaded before all others, as Node's binary is not built with it. */
function runtime() {
  for (const name of [
    'libasan.so',
    `libclang_rt.asan-${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}.so`,
  ]) {
    try {
      const path = execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
      if (existsSync(path)) return path;
    } catch {
      return undefined;
    }
  }
  return undefined;
}

if (process.platform !== 'linux') skip('LeakSanitizer with a preloaded run-time library works on Linux only');
const preload = runtime();
if (!preload) skip(`${compiler} has no AddressSanitizer (CXX names another compiler)`);

/** The path of an addon that a script builds with the sanitizers. */
function built(name, script) {
  const addon = join(here, 'build', `${name}-asan.node`);
  const args = [join(here, script), '--explain', '--asan', '--out', addon];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  return addon;
}
const onednn = built('onednn', 'install.mjs');
const images = built('images', join('images', 'build.mjs'));

const testsIn = (...folder) =>
  readdirSync(join(root, 'test', ...folder))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', ...folder, name));
const engines = ['kernels', 'training'].map((name) => `test/engine/${name}.test.ts`);
const pixels = [...testsIn('data', 'pixels'), 'test/data/images/image-file.test.ts'];
const tests = process.argv.slice(2);
const files = tests.length > 0 ? tests : [...testsIn('native'), ...engines, ...pixels];
const others = ['--grep', 'wasm|torch|tensorflow|webgpu', '--invert'];
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const args = ['--no-config', '--require', 'test/hooks.ts', '--timeout', '600000'];
console.log(`test:asan: ${files.length} test files with ${preload}`);
const run = spawnSync(process.execPath, ['--import', 'tsx', mocha, ...args, ...others, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    MILLRACE_ONEDNN_ADDON: onednn,
    MILLRACE_IMAGES_ADDON: images,
    LD_PRELOAD: preload,
    // A small quarantine, as a test asks that what is freed leaves the process. Memory that cannot be had is null, as it
    // is without the sanitizer: the addon turns it into an error.
    ASAN_OPTIONS:
      'allocator_may_return_null=1:quarantine_size_mb=8:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1',
    LSAN_OPTIONS: `suppressions=${join(here, 'lsan-suppressions.txt')}:print_suppressions=0`,
    UBSAN_OPTIONS: 'print_stacktrace=1',
  },
});
process.exit(run.status ?? 1);
