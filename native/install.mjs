// Builds the onednn engine's addon where a C++ compiler and oneDNN are found.
//
//   node native/install.mjs            what `npm install` runs: quiet, and successful whatever is missing
//   node native/install.mjs --explain  says what is missing and how to install it; fails where the build does
//
// CXX names the compiler, ONEDNN_ROOT a folder with oneDNN's include/ and lib/; --asan builds with AddressSanitizer
// and UndefinedBehaviorSanitizer, --out FILE puts the addon elsewhere. Nothing is tuned to this very processor: the
// addon may be copied to another.
import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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

/** Whether a oneDNN computes in SYCL queues, as Intel's oneAPI builds do, and not on the processor's threads. */
function usesSycl(include) {
  const config = join(include, 'oneapi/dnnl/dnnl_config.h');
  return (
    existsSync(config) &&
    /define DNNL_CPU_RUNTIME DNNL_RUNTIME_(SYCL|DPCPP)/.test(readFileSync(config, 'utf8'))
  );
}

/** Folders with oneDNN's headers and library; undefined where there are none. */
function findOnednn() {
  const roots = [mac && works('brew', '--prefix', 'onednn'), '/usr', '/usr/local', '/opt/homebrew'];
  const named = process.env.ONEDNN_ROOT;
  // Debian's names for its library folders, where it keeps several architectures apart.
  const triple = { x64: 'lib/x86_64-linux-gnu', arm64: 'lib/aarch64-linux-gnu' }[process.arch];
  for (const root of named ? [named] : roots.filter(Boolean)) {
    const include = join(root, 'include');
    const header = ['oneapi/dnnl/dnnl.hpp', 'dnnl.hpp'].some((name) => existsSync(join(include, name)));
    if (!header || usesSycl(include)) continue;
    for (const lib of ['lib', 'lib64', triple].filter(Boolean)) {
      const folder = join(root, lib);
      const library =
        existsSync(folder) && readdirSync(folder).find((name) => /^libdnnl\.(so|dylib)/.test(name));
      if (library) return { include, folder, library, system: root === '/usr' };
    }
  }
  return undefined;
}

/** What is missing, in words, and the commands that install it. */
function explainMissing(compiler, onednn) {
  const missing = [];
  const commands = [];
  if (!compiler)
    missing.push(
      process.env.CXX
        ? `a C++ compiler (CXX is ${process.env.CXX}, which does not run)`
        : 'a C++ compiler (looked for g++, clang++ and c++)',
    );
  if (!onednn)
    missing.push(
      process.env.ONEDNN_ROOT
        ? `oneDNN (ONEDNN_ROOT is ${process.env.ONEDNN_ROOT}, which has no include/oneapi/dnnl/dnnl.hpp, no lib/libdnnl, or a build for SYCL instead of for threads)`
        : 'oneDNN (its headers and library)',
    );
  if (mac) {
    if (!compiler) commands.push('xcode-select --install');
    if (!onednn) commands.push('brew install onednn libomp');
  } else
    commands.push(
      `sudo apt-get install ${[!compiler && 'g++', !onednn && 'libdnnl-dev'].filter(Boolean).join(' ')}`,
    );
  commands.push('npm run build:native');
  const elsewhere =
    mac || onednn
      ? ''
      : '\n  where there is no such package, ONEDNN_ROOT names a folder with include/ and lib/';
  stop(`missing: ${missing.join('; ')}`, commands.join(' && ') + elsewhere);
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
const onednn = findOnednn();
if (!compiler || !onednn) explainMissing(compiler, onednn);

const work = mkdtempSync(join(tmpdir(), 'millrace-native-'));
const clang = /clang/i.test(works(compiler, '--version') ?? '');
const includes = [
  `-I${join(packageFolder('node-addon-api'))}`,
  `-I${join(packageFolder('node-api-headers'), 'include')}`,
  ...(onednn.system ? [] : [`-I${onednn.include}`]),
];
// Node's classes have no type information in its binary, which the check of virtual calls (vptr) would need.
const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize=vptr', '-fno-sanitize-recover=undefined'];
const common = [
  '-std=c++17',
  '-fPIC',
  '-O3',
  '-fvisibility=hidden',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  ...(asan ? ['-g', ...sanitizers, '-fno-omit-frame-pointer', '-DMILLRACE_ASAN'] : []),
];

/**
 * Flags for OpenMP where the compiler has it; without it, kernels that are not oneDNN's run on one thread, as with
 * clang where libomp is not installed.
 */
async function openMp() {
  const libomp = mac && works('brew', '--prefix', 'libomp');
  const ways = [
    { compile: ['-fopenmp'], link: ['-fopenmp'] },
    ...(libomp
      ? [
          {
            compile: ['-Xpreprocessor', '-fopenmp', `-I${libomp}/include`],
            link: [`-L${libomp}/lib`, '-lomp'],
          },
        ]
      : []),
  ];
  const source = join(work, 'probe.cpp');
  writeFileSync(source, '#include <omp.h>\nint main() { return omp_get_max_threads() < 1; }\n');
  for (const way of ways) {
    const built = run(compiler, [...way.compile, source, ...way.link, '-o', join(work, 'probe')]);
    if (await built.catch(() => undefined)) return way;
  }
  // The pragmas for vector loops work without the run-time library.
  return { compile: ['-fopenmp-simd'], link: [] };
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

let failure;
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
  // Never unloaded: a worker thread that ends would take the pool with it, and leave its memory to nobody.
  const link = mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-Wl,-z,nodelete'];
  const rpath = onednn.system ? [] : [`-Wl,-rpath,${onednn.folder}`];
  await run(compiler, [
    ...link,
    ...(asan ? [...sanitizers, ...(clang ? ['-shared-libasan'] : [])] : []),
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
  failure = error;
}
rmSync(work, { recursive: true, force: true });
if (failure) stop('the addon does not compile', String(failure.stderr ?? failure.stack).trim());
