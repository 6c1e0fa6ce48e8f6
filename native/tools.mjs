// What the build scripts of this folder share: finding programs and packages, compiling in parallel, and putting a
// built addon into its place.
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const mac = process.platform === 'darwin';

/** Runs a program to its end; rejects with its `stderr` where it fails. */
export const run = promisify(execFile);

/** What a program prints; undefined where it fails or is not there. */
export function output(command, ...args) {
  try {
    const options = { stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 };
    return execFileSync(command, args, options).toString().trim();
  } catch {
    return undefined;
  }
}

/** The names of compilers to try: CXX alone where it is set. */
export const compilers = process.env.CXX ? [process.env.CXX] : ['g++', 'clang++', 'c++'];

/** The first compiler that runs, and whether it is clang; undefined where none does. */
export function findCompiler() {
  for (const name of compilers) {
    const version = output(name, '--version');
    if (version !== undefined) return { name, clang: /clang/i.test(version) };
  }
  return undefined;
}

/** The command that installs a compiler. */
export const installCompiler = mac ? 'xcode-select --install' : 'sudo apt-get install g++';

/** The Pythons to ask: MILLRACE_PYTHON alone where it is set. */
export const pythons = process.env.MILLRACE_PYTHON ? [process.env.MILLRACE_PYTHON] : ['python3', 'python'];

/** The folder of a Python's package, which is not imported for that; undefined where no Python has it. */
export function pythonPackage(name) {
  const program = `import importlib.util as u; s = u.find_spec("${name}"); print(s.submodule_search_locations[0] if s else "")`;
  return pythons.map((python) => output(python, '-c', program)).find(Boolean);
}

/** The folder of an installed npm package; undefined where it is not installed. */
export function packageFolder(name) {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The folders of Node-API's headers and of its C++ classes. @throws Error naming the npm package that is missing. */
export function nodeHeaders() {
  const folders = ['node-addon-api', 'node-api-headers'].map((name) => {
    const folder = packageFolder(name);
    if (folder === undefined) throw new Error(`the npm package ${name} is not installed`);
    return folder;
  });
  return [folders[0], join(folders[1], 'include')];
}

/** Whether a flag such as `--explain` is on the command line. */
export const has = (flag) => process.argv.includes(flag);

/** The file that `--out` names, or `byDefault`. */
export function outFile(byDefault) {
  const at = process.argv.indexOf('--out');
  return at < 0 ? byDefault : process.argv[at + 1];
}

/** Flags of an addon that links against what the process has already. */
export const sharedLibrary = mac ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

/** Further flags of the linker: LDFLAGS, as elsewhere. */
export const linkFlags = process.env.LDFLAGS?.split(' ') ?? [];

/**
 * Flags of a build with AddressSanitizer and UndefinedBehaviorSanitizer. Node's classes have no type information in its
 * binary, which the check of virtual calls (vptr) would need.
 */
export const sanitizers = [
  '-fsanitize=address,undefined',
  '-fno-sanitize=vptr',
  '-fno-sanitize-recover=undefined',
];

/** Does work on each item, as many at a time as there are cores. */
export async function eachInParallel(items, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Puts a file into its place by renaming: a process that has the old one open keeps it. */
export async function putInPlace(file, place) {
  mkdirSync(dirname(place), { recursive: true });
  await run('cp', [file, `${place}.new`]);
  renameSync(`${place}.new`, place);
}

/** What a failed program said, or the error itself. */
export const reasonOf = (error) => String(error.stderr ?? error.stack).trim();
