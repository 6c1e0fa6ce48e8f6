// Builds the torch engine's addon against LibTorch as pip ships it: `pip install torch && npm run build:torch`.
//
//   node native/torch/build.mjs [--out FILE]
//
// LIBTORCH names a folder with LibTorch's include/ and lib/; else MILLRACE_PYTHON, or a python3 or python on the PATH, is
// asked for its torch, 2.8 or later, for whatever device. CXX names the compiler. One line says what is missing.
// Nothing of this runs at `npm install`, and nothing but the torch engine needs it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compilers,
  eachInParallel,
  findCompiler,
  installCompiler,
  mac,
  nodeHeaders,
  outFile,
  putInPlace,
  pythonPackage,
  reasonOf,
  run,
  sharedLibrary,
} from '../tools.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const out = outFile(join(here, '..', 'build', 'torch.node'));
const OLDEST = [2, 8];

/** Ends the script with what is missing and how to get it. */
function stop(problem, fix) {
  console.error(`torch: ${problem}; ${fix}`);
  process.exit(1);
}

/** The folder of LibTorch: of LIBTORCH, or of a Python's package, which is not imported for that. */
function findTorch() {
  if (process.env.LIBTORCH) return process.env.LIBTORCH;
  const folder = pythonPackage('torch');
  if (folder) return folder;
  const named = process.env.MILLRACE_PYTHON;
  const looked = named ? `MILLRACE_PYTHON, ${named},` : 'python3 and python on the PATH';
  return stop(`no LibTorch: ${looked} have no torch`, 'pip install torch, or let LIBTORCH name its folder');
}

/** "2.13.0" of LibTorch's own headers; 2.10 moved them. */
function versionOf(include) {
  const headers = ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h'];
  const text = headers
    .map((name) => join(include, name))
    .filter(existsSync)
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define TORCH_VERSION_${part} (\\d+)`).exec(text)?.[1],
  );
  return numbers.includes(undefined) ? undefined : numbers.map(Number);
}

/** Headers, libraries and version of a LibTorch that this addon can be built against. */
function checkTorch(folder) {
  const [include, lib] = [join(folder, 'include'), join(folder, 'lib')];
  const libraries = existsSync(lib) ? readdirSync(lib) : [];
  const has = (name) => libraries.some((file) => file.startsWith(`lib${name}.`));
  if (!has('torch_cpu') || !existsSync(join(include, 'ATen', 'ATen.h')))
    stop(
      `${folder} has no include/ATen/ATen.h or no lib/libtorch_cpu`,
      'let LIBTORCH name the folder of LibTorch',
    );
  const version = versionOf(include);
  if (!version || version[0] < OLDEST[0] || (version[0] === OLDEST[0] && version[1] < OLDEST[1]))
    stop(
      `${folder} is torch ${version?.join('.') ?? 'of no version'}, expected ${OLDEST.join('.')} or later`,
      'pip install --upgrade torch',
    );
  // Strings of the standard library as compilers have had them since 2015; torch was once built with the older ones.
  if (!mac && !readFileSync(join(lib, 'libc10.so')).includes('__cxx11'))
    stop(`${folder} was built for the older C++ ABI`, 'pip install --upgrade torch');
  const cards = [
    ['torch_cuda', 'c10_cuda'],
    ['torch_hip', 'c10_hip'],
    ['torch_xpu', 'c10_xpu'],
  ].filter((pair) => pair.every(has));
  return { include, lib, version: version.join('.'), names: ['torch_cpu', 'c10', ...cards.flat()], cards };
}

/** Compiles all sources, the headers that they share once before, and links them. */
async function build(compiler, torch, work) {
  const flags = [
    '-std=c++20',
    '-fPIC',
    '-O2',
    '-fvisibility=hidden',
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    `-DMILLRACE_TORCH_VERSION="${torch.version}"`,
    ...[torch.include, join(torch.include, 'torch', 'csrc', 'api', 'include'), ...nodeHeaders()].flatMap(
      (folder) => ['-isystem', folder],
    ),
  ];
  const source = join(here, 'src');
  // g++ takes torch.h.gch for torch.h; clang++ reads the headers each time.
  const shared = join(work, 'torch.h');
  writeFileSync(shared, readFileSync(join(source, 'torch.h')));
  if (!compiler.clang)
    await run(compiler.name, [...flags, '-x', 'c++-header', shared, '-o', `${shared}.gch`]);
  const files = readdirSync(source).filter((name) => name.endsWith('.cpp'));
  const objects = files.map((name) => join(work, `${name}.o`));
  await eachInParallel(files, (name) =>
    run(compiler.name, [
      ...flags,
      '-include',
      shared,
      '-c',
      join(source, name),
      '-o',
      join(work, `${name}.o`),
    ]),
  );
  // Never unloaded, as LibTorch is not; and all of its libraries are kept, since kernels register when they are loaded.
  const link = [...sharedLibrary, ...(mac ? [] : ['-Wl,-z,nodelete', '-Wl,--no-as-needed'])];
  const libraries = torch.names.map((name) => `-l${name}`);
  const linked = join(work, 'torch.node');
  await run(compiler.name, [
    ...link,
    ...objects,
    `-L${torch.lib}`,
    ...libraries,
    `-Wl,-rpath,${torch.lib}`,
    '-o',
    linked,
  ]);
  return linked;
}

if (process.platform === 'win32')
  stop('the addon builds on Linux and macOS only', 'use --engine wasm, or Linux under WSL');
const torch = checkTorch(findTorch());
const compiler =
  findCompiler() ?? stop(`no C++ compiler: none of ${compilers.join(', ')} runs`, installCompiler);
const work = mkdtempSync(join(tmpdir(), 'millrace-torch-'));
try {
  const linked = await build(compiler, torch, work);
  const about = {
    torch: torch.version,
    folder: dirname(torch.lib),
    accelerator: mac || torch.cards.length > 0,
  };
  await putInPlace(linked, out);
  writeFileSync(`${out}.json`, `${JSON.stringify(about, null, 2)}\n`);
  console.log(`torch: built ${out} with ${compiler.name} and torch ${torch.version} of ${about.folder}`);
} catch (error) {
  console.error(`torch: the addon does not compile\n${reasonOf(error)}`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}
