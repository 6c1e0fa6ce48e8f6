// Builds the onednn engine's addon where a C++ compiler and oneDNN are found.
//
//   node native/install.mjs            what `npm install` runs: quiet, and successful whatever is missing
//   node native/install.mjs --explain  says what is missing and how to install it; fails where the build does
//
// CXX names the compiler, ONEDNN_ROOT a folder with oneDNN's include/ and lib/; --asan builds for AddressSanitizer,
// --out FILE puts the addon elsewhere.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const explain = args.includes('--explain');
const asan = args.includes('--asan');
const out = args.includes('--out')
  ? args[args.indexOf('--out') + 1]
  : join(here, 'build', asan ? 'onednn-asan.node' : 'onednn.node');
const run = promisify(execFile);
const mac = process.platform === 'darwin';

/** Ends the script: an error that says how to go on when asked to explain, silence otherwise. */
function stop(problem, fix) {
  if (explain) console.error(`onednn: ${problem}\n  ${fix}`);
  process.exit(explain ? 1 : 0);
}

function works(command, ...rest) {
  try {
    return execFileSync(command, rest, { stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return undefined;
  }
}

function findCompiler() {
  const names = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];
  return names.find((name) => works(name, '--version') !== undefined);
}

/** Folders with oneDNN's headers and library; undefined where there are none. */
function findOnednn() {
  const roots = [
    process.env.ONEDNN_ROOT,
    process.env.DNNLROOT,
    mac && works('brew', '--prefix', 'onednn'),
    '/usr',
    '/usr/local',
    '/opt/homebrew',
    '/opt/intel/oneapi/dnnl/latest',
  ].filter(Boolean);
  for (const root of roots) {
    const include = join(root, 'include');
    const header = ['oneapi/dnnl/dnnl.hpp', 'dnnl.hpp'].some((name) => existsSync(join(include, name)));
    if (!header) continue;
    const triple = works('g++', '-print-multiarch');
    for (const lib of ['lib', 'lib64', triple && `lib/${triple}`].filter(Boolean)) {
      const folder = join(root, lib);
      const library =
        existsSync(folder) && readdirSync(folder).find((name) => /^libdnnl\.(so|dylib)/.test(name));
      if (library) return { include, folder, library, system: root === '/usr' };
    }
  }
  return undefined;
}

function packageFolder(name) {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return stop(`the npm package ${name} is not installed`, 'npm install');
  }
}

if (process.platform === 'win32')
  stop('the addon builds on Linux and macOS only', 'use --engine wasm, or Linux under WSL');
const compiler = findCompiler();
if (!compiler)
  stop(
    'no C++ compiler found',
    mac ? 'xcode-select --install' : 'sudo apt-get install g++   (or name one in CXX)',
  );
const onednn = findOnednn();
if (!onednn)
  stop(
    'oneDNN is not installed',
    mac
      ? 'brew install onednn'
      : 'sudo apt-get install libdnnl-dev   (Fedora: dnf install onednn-devel; elsewhere: set ONEDNN_ROOT)',
  );

const work = mkdtempSync(join(tmpdir(), 'millrace-native-'));
const clang = /clang/i.test(works(compiler, '--version') ?? '');
const includes = [
  `-I${join(packageFolder('node-addon-api'))}`,
  `-I${join(packageFolder('node-api-headers'), 'include')}`,
  ...(onednn.system ? [] : [`-I${onednn.include}`]),
];
const common = [
  '-std=c++17',
  '-fPIC',
  '-O3',
  '-fvisibility=hidden',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  ...(asan ? ['-g', '-fsanitize=address', '-fno-omit-frame-pointer', '-DMILLRACE_ASAN'] : []),
];

/** Whether the compiler has OpenMP; without it, kernels that are not oneDNN's run on one thread. */
async function openMp() {
  const flags = ['-fopenmp'];
  const probe = await run('sh', [
    '-c',
    `printf '#include <omp.h>\\nint main(){return omp_get_max_threads()<1;}' | "$0" ${flags.join(' ')} -x c++ - -o "$1"`,
    compiler,
    join(work, 'probe'),
  ]).catch(() => undefined);
  // The pragmas for vector loops work without the run-time library.
  return probe ? { compile: flags, link: flags } : { compile: ['-fopenmp-simd'], link: [] };
}

/** The vector loops are compiled once per instruction set, and chosen when the addon is loaded. */
const isas =
  process.arch === 'x64'
    ? {
        base: [],
        avx2: ['-mavx2', '-mfma'],
        avx512: ['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mfma', '-mprefer-vector-width=512'],
      }
    : { base: [] };

/** Files that are compiled otherwise than the rest: the flags by the name of their namespace. */
const special = {
  'loops.cpp': isas,
  'attention-bf16.cpp': isas.avx512 ? { avx512bf16: [...isas.avx512, '-mavx512bf16'] } : {},
};

try {
  const omp = await openMp();
  const jobs = readdirSync(join(here, 'src'))
    .filter((name) => name.endsWith('.cpp'))
    .flatMap((name) =>
      Object.entries(special[name] ?? { '': [] }).map(([isa, flags]) => ({
        name,
        object: `${name}-${isa}`,
        flags: isa ? [`-DMILLRACE_ISA=${isa}`, ...flags] : [],
      })),
    );
  const objects = jobs.map(({ object }) => join(work, `${object}.o`));
  const compile = async ({ name, object, flags }) => {
    const source = join(here, 'src', name);
    await run(compiler, [
      ...common,
      ...omp.compile,
      ...includes,
      ...flags,
      '-c',
      source,
      '-o',
      join(work, `${object}.o`),
    ]);
  };
  const waiting = [...jobs];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let job = waiting.shift(); job; job = waiting.shift()) await compile(job);
    }),
  );
  const linked = join(work, 'onednn.node');
  const link = mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
  const rpath = onednn.system ? [] : [`-Wl,-rpath,${onednn.folder}`];
  await run(compiler, [
    ...link,
    ...(asan ? ['-fsanitize=address', ...(clang ? ['-shared-libasan'] : [])] : []),
    ...objects,
    ...omp.link,
    join(onednn.folder, onednn.library),
    ...rpath,
    '-o',
    linked,
  ]);
  mkdirSync(dirname(out), { recursive: true });
  // Into place by renaming: a process that has the old one open keeps it.
  await run('cp', [linked, `${out}.new`]);
  renameSync(`${out}.new`, out);
  if (explain)
    console.log(`onednn: built ${out} with ${compiler} and ${join(onednn.folder, onednn.library)}`);
} catch (error) {
  stop('the addon does not compile', String(error.stderr ?? error.stack).trim());
} finally {
  rmSync(work, { recursive: true, force: true });
}
