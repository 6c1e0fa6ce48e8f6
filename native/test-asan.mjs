// Runs the native tests against a build of the addon with AddressSanitizer, LeakSanitizer and
// UndefinedBehaviorSanitizer: what `npm run test:asan` does. Arguments are test files; default all of test/native and the
// suites of all engines in test/engine. Tests of other engines, which are built without sanitizers, are left out.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const compiler = process.env.CXX ?? 'g++';
const addon = join(here, 'build', 'onednn-asan.node');

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

const build = spawnSync(
  process.execPath,
  [join(here, 'install.mjs'), '--explain', '--asan', '--out', addon],
  {
    stdio: 'inherit',
  },
);
if (build.status !== 0) process.exit(build.status ?? 1);

const native = readdirSync(join(root, 'test', 'native'))
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', 'native', name));
const tests = process.argv.slice(2);
const files =
  tests.length > 0 ? tests : [...native, 'test/engine/kernels.test.ts', 'test/engine/training.test.ts'];
const others = ['--grep', 'wasm|torch|tensorflow', '--invert'];
const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const args = ['--no-config', '--require', 'test/hooks.ts', '--timeout', '600000'];
console.log(`test:asan: ${files.length} test files with ${preload}`);
const run = spawnSync(process.execPath, ['--import', 'tsx', mocha, ...args, ...others, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    MILLRACE_ONEDNN_ADDON: addon,
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
