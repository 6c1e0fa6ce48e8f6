// Builds the onednn engine's addon where a C++ compiler and oneDNN are found.
//
//   node native/install.mjs            what `npm install` runs: quiet, and successful whatever is missing
//   node native/install.mjs --explain  says what is missing and how to install it; fails where the build does
//
// CXX names the compiler, LDFLAGS its flags for linking, ONEDNN_ROOT a folder with oneDNN's include/ and lib/; --static
// links oneDNN's static library where there is one; --asan builds with AddressSanitizer
// and UndefinedBehaviorSanitizer, --out FILE puts the addon elsewhere. Nothing is tuned to this very processor: the
// addon may be copied to another.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  eachInParallel,
  findCompiler,
  has,
  linkFlags,
  mac,
  nodeHeaders,
  outFile,
  output,
  packageFolder,
  putInPlace,
  reasonOf,
  run,
  sanitizers,
  sharedLibrary,
} from './tools.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const explain = has('--explain');
const asan = has('--asan');
const isStatic = has('--static');
const out = outFile(join(here, 'build', asan ? 'onednn-asan.node' : 'onednn.node'));

/** Ends the script: an error that says how to go on when asked to explain, silence otherwise. */
function stop(problem, fix) {
  if (explain) console.error(`onednn: ${problem}\n  ${fix}`);
  process.exit(explain ? 1 : 0);
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
  const roots = [mac && output('brew', '--prefix', 'onednn'), '/usr', '/usr/local', '/opt/homebrew'];
  const named = process.env.ONEDNN_ROOT;
  // Debian's names for its library folders, where it keeps several architectures apart.
  const triple = { x64: 'lib/x86_64-linux-gnu', arm64: 'lib/aarch64-linux-gnu' }[process.arch];
  for (const root of named ? [named] : roots.filter(Boolean)) {
    const include = join(root, 'include');
    const header = ['oneapi/dnnl/dnnl.hpp', 'dnnl.hpp'].some((name) => existsSync(join(include, name)));
    if (!header || usesSycl(include)) continue;
    for (const lib of ['lib', 'lib64', triple].filter(Boolean)) {
      const folder = join(root, lib);
      const names = existsSync(folder) ? readdirSync(folder) : [];
      const library =
        (isStatic && names.find((name) => name === 'libdnnl.a')) ||
        names.find((name) => /^libdnnl\.(so|dylib)/.test(name));
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

function headers() {
  try {
    return nodeHeaders();
  } catch (error) {
    return stop(error.message, 'npm install');
  }
}

// The platform package has it: there is nothing to build, unless one asks for it.
if (packageFolder(`@millrace/onednn-${process.platform}-${process.arch}`) && !explain) process.exit(0);

if (process.platform === 'win32')
  stop('the addon builds on Linux and macOS only', 'use --engine wasm, or Linux under WSL');
const compiler = findCompiler();
const onednn = findOnednn();
if (!compiler || !onednn) explainMissing(compiler, onednn);

const work = mkdtempSync(join(tmpdir(), 'millrace-native-'));
const includes = [...headers(), ...(onednn.system ? [] : [onednn.include])].map((folder) => `-I${folder}`);
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
  const libomp = mac && output('brew', '--prefix', 'libomp');
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
    const built = run(compiler.name, [...way.compile, source, ...way.link, '-o', join(work, 'probe')]);
    if (await built.catch(() => undefined)) return way;
  }
  // The pragmas for vector loops work without the run-time library.
  return { compile: ['-fopenmp-simd'], link: [] };
}

/** Flags of AMX, for which MILLRACE_AMX is defined; none where the compiler or its assembler does not know it. */
async function amx() {
  if (process.arch !== 'x64') return undefined;
  const flags = ['-mamx-tile', '-mamx-int8', '-mamx-bf16'];
  const source = join(work, 'amx.cpp');
  const products = '_tile_dpbusd(0, 1, 2); _tile_dpbf16ps(0, 1, 2);';
  writeFileSync(source, `#include <immintrin.h>\nvoid probe() { ${products} }\n`);
  const built = run(compiler.name, [...flags, '-c', source, '-o', join(work, 'amx.o')]);
  return (await built.catch(() => undefined)) && flags;
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
function specialFlags(tiles) {
  const vnni = isas.avx512 && [...isas.avx512, '-mavx512vnni'];
  const bf16 = isas.avx512 && [...isas.avx512, '-mavx512bf16'];
  const arm = process.arch === 'arm64' && { dotprod: ['-march=armv8.2-a+dotprod'] };
  return {
    'loops.cpp': isas,
    'integer-tiles.cpp': Object.fromEntries(
      Object.entries({
        base: isas.base,
        ...arm,
        ...(vnni && { avx2: isas.avx2, avx512vnni: vnni, ...(tiles && { amxint8: [...vnni, ...tiles] }) }),
      }).map(([isa, flags]) => [isa, [...flags, '-ffp-contract=off']]),
    ),
    'attention-bf16.cpp': bf16 ? { avx512bf16: bf16 } : {},
    'attention-tiles.cpp': bf16 && tiles ? { amxbf16: [...bf16, ...tiles] } : {},
    'product-tiles.cpp': bf16 && tiles ? { amxbf16: [...bf16, ...tiles] } : {},
  };
}

let failure;
try {
  const omp = await openMp();
  const tiles = await amx();
  const special = specialFlags(tiles);
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
    await run(compiler.name, [
      ...common,
      ...omp.compile,
      ...(tiles ? ['-DMILLRACE_AMX'] : []),
      ...includes,
      ...flags,
      '-c',
      source,
      '-o',
      join(work, `${object}.o`),
    ]);
  };
  await eachInParallel(jobs, compile);
  const linked = join(work, 'onednn.node');
  // Never unloaded: a worker thread that ends would take the pool with it, and leave its memory to nobody.
  const link = [...sharedLibrary, ...(mac ? [] : ['-Wl,-z,nodelete'])];
  const rpath = onednn.system ? [] : [`-Wl,-rpath,${onednn.folder}`];
  await run(compiler.name, [
    ...link,
    ...(asan ? [...sanitizers, ...(compiler.clang ? ['-shared-libasan'] : [])] : []),
    ...objects,
    ...omp.link,
    join(onednn.folder, onednn.library),
    ...rpath,
    ...linkFlags,
    '-o',
    linked,
  ]);
  await putInPlace(linked, out);
  if (explain)
    console.log(`onednn: built ${out} with ${compiler.name} and ${join(onednn.folder, onednn.library)}`);
} catch (error) {
  failure = error;
}
rmSync(work, { recursive: true, force: true });
if (failure) stop('the addon does not compile', reasonOf(failure));
