// Sets up the tensorflow engine where tfjs-node cannot install itself, since its install script fetches a TensorFlow of
// 2022 from outside npm: builds tfjs-node's binding against a TensorFlow that is here.
//
//   pip install tensorflow-cpu && npm run setup:tensorflow
//   npm run setup:tensorflow -- --from libtensorflow-gpu-linux-x86_64.tar.gz
//
// --from names an archive of libtensorflow, or a folder with its headers and libraries: unpacked, or that of pip's package
// tensorflow, tensorflow-cpu or tensorflow[and-cuda]. By default MILLRACE_PYTHON, or a python3 or python on the PATH, is
// asked for its tensorflow. CXX names the compiler. All of it goes into native/build/tensorflow; nothing is left of a
// set-up that fails, and an earlier one then stays.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  compilers,
  findCompiler,
  installCompiler,
  mac,
  output,
  packageFolder,
  pythonPackage,
  pythons,
  run,
  sharedLibrary,
} from '../tools.mjs';

/** The last version of tfjs-node, that of the tfjs-core in package.json, and the one package that its backend needs besides. */
const TFJS_NODE = '@tensorflow/tfjs-node@4.22.0';
const PROTOBUF = 'google-protobuf@3.21.4';

const here = dirname(fileURLToPath(import.meta.url));
const build = join(here, '..', 'build');
const target = join(build, 'tensorflow');

/** Something that the user can fix. */
class Stop extends Error {}

async function setup() {
  const from = flagFrom();
  if (process.platform === 'win32') throw new Stop('expected Linux or macOS, got Windows; run it under WSL');
  await mkdir(build, { recursive: true });
  const work = await mkdtemp(join(build, 'tensorflow-'));
  try {
    const compiler = findCompiler();
    if (!compiler)
      throw new Stop(`expected a C++ compiler, got none of ${compilers.join(', ')}; ${installCompiler}`);
    const tensorflow = await findTensorflow(from, work);
    const sources = await unpackPackage(work, TFJS_NODE);
    await unpackPackage(work, PROTOBUF);
    await buildBinding(compiler, tensorflow, sources, join(work, 'tfjs_binding.node'));
    await writeStandIn(work);
    const version = await tryBinding(work);
    await rm(target, { recursive: true, force: true });
    await rename(work, target);
    console.log(
      `tensorflow: set up with TensorFlow ${version} of ${tensorflow.folder}; use --engine tensorflow`,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What `--from` names, where it is given. */
function flagFrom() {
  try {
    return parseArgs({ options: { from: { type: 'string' } } }).values.from;
  } catch (error) {
    throw new Stop(`expected --from FOLDER or ARCHIVE, or nothing; ${error.message}`);
  }
}

/** The folders of TensorFlow's headers and libraries, and the names of these. */
async function findTensorflow(from, work) {
  const folder = from === undefined ? pythonsTensorflow() : await folderOf(resolve(from), work);
  for (const libraries of [folder, join(folder, 'lib')]) {
    const files = await readdir(libraries).catch(() => []);
    const named = (name) => files.find((file) => file.startsWith(`lib${name}.`) && /\.(so|dylib)/.test(file));
    const names = [named('tensorflow') ?? named('tensorflow_cc'), named('tensorflow_framework')];
    const include = join(folder, 'include');
    if (!names.includes(undefined) && existsSync(join(include, 'tensorflow', 'c', 'c_api.h')))
      return { folder, include, libraries, names };
  }
  throw new Stop(
    `${from ?? folder}: expected include/tensorflow/c/c_api.h, libtensorflow and libtensorflow_framework, got none of them; name another with --from`,
  );
}

function pythonsTensorflow() {
  const folder = pythonPackage('tensorflow');
  if (folder) return folder;
  throw new Stop(
    `expected a Python with tensorflow, got none of ${pythons.join(', ')}; pip install tensorflow-cpu, or name an archive or a folder of libtensorflow with --from`,
  );
}

/** The folder that `--from` names, or into which its archive was unpacked. */
async function folderOf(path, work) {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return path;
  if (!found)
    throw new Stop(`--from ${path}: expected an archive or a folder of libtensorflow, got nothing there`);
  const folder = join(work, 'libtensorflow');
  await mkdir(folder);
  await run('tar', ['-xf', path, '-C', folder]).catch((error) => {
    throw new Stop(
      `--from ${path}: expected an archive of libtensorflow, got a file that tar cannot read: ${String(error.stderr).trim().split('\n')[0]}`,
    );
  });
  return folder;
}

/** Unpacks a package of npm into `node_modules`, without its dependencies and its install script; returns its folder. */
async function unpackPackage(work, spec) {
  const folder = join(work, 'node_modules', spec.slice(0, spec.lastIndexOf('@')));
  await mkdir(folder, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', work, spec]).catch(
    (error) => {
      throw new Stop(`expected npm to fetch ${spec}, got: ${String(error.stderr).trim()}`);
    },
  );
  const archive = join(work, stdout.trim());
  await run('tar', ['-xf', archive, '-C', folder, '--strip-components=1']);
  await rm(archive);
  return folder;
}

/** Compiles tfjs-node's binding, and links it once the libraries are known to have every function that it calls. */
async function buildBinding(compiler, tensorflow, sources, out) {
  const { include, libraries, names } = tensorflow;
  const headers = packageFolder('node-api-headers');
  const includes = [join(headers, 'include'), sources, include].flatMap((folder) => ['-isystem', folder]);
  const files = (await readdir(join(sources, 'binding'))).filter((name) => name.endsWith('.cc'));
  const objects = files.map((name) => `${join(dirname(out), name)}.o`);
  const compile = async (...args) => {
    await run(compiler.name, args).catch((error) => {
      throw new Stop(`expected tfjs-node's binding to compile, got:\n${String(error.stderr).trim()}`);
    });
  };
  const flags = ['-std=c++17', '-O2', '-fPIC', '-DNAPI_VERSION=8', ...includes];
  await Promise.all(
    files.map((name, i) => compile(...flags, '-c', join(sources, 'binding', name), '-o', objects[i])),
  );
  checkSymbols(tensorflow, objects);
  const work = dirname(out);
  const origin = mac ? '@loader_path' : '$ORIGIN';
  const rpath = libraries.startsWith(work) ? origin + libraries.slice(work.length) : libraries;
  const shared = names.map((name) => join(libraries, name));
  await compile(...sharedLibrary, ...objects, ...shared, `-Wl,-rpath,${rpath}`, '-o', out);
  await Promise.all(objects.map((object) => rm(object)));
}

/** Every function of TensorFlow that the objects call must be in the libraries. */
function checkSymbols({ folder, libraries, names }, objects) {
  const symbols = (file, ...flags) => {
    const table = output('nm', ...flags, file);
    if (table === undefined)
      throw new Stop(`${file}: expected nm to list its symbols, got an error; install binutils`);
    return table.match(/\bTFE?_\w+/g) ?? [];
  };
  const flags = mac ? ['-gU'] : ['-D', '--defined-only'];
  const defined = new Set(names.flatMap((name) => symbols(join(libraries, name), ...flags)));
  const missing = new Set(
    objects.flatMap((file) => symbols(file, '-u')).filter((name) => !defined.has(name)),
  );
  if (missing.size > 0)
    throw new Stop(
      `${folder}: expected a TensorFlow with the C interface that tfjs-node calls, got one without ${[...missing].join(', ')}; take another version`,
    );
}

/** A package @tensorflow/tfjs for tfjs-node that is our tfjs-core, so that there is one engine in the process. */
async function writeStandIn(work) {
  const folder = join(work, 'node_modules', '@tensorflow', 'tfjs');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'index.js'), "module.exports = require('@tensorflow/tfjs-core');\n");
  await writeFile(join(folder, 'package.json'), '{ "name": "@tensorflow/tfjs", "main": "index.js" }\n');
  await writeFile(join(work, 'package.json'), '{ "type": "commonjs", "private": true }\n');
}

/** Loads the binding in a process of its own, and returns TensorFlow's version. */
async function tryBinding(work) {
  const program = `process.stdout.write(require(${JSON.stringify(join(work, 'tfjs_binding.node'))}).TF_Version)`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { stdout } = await run(process.execPath, ['-e', program], { env }).catch((error) => {
    throw new Stop(`expected the binding to load, got: ${String(error.stderr).trim()}`);
  });
  return stdout;
}

setup().catch((error) => {
  console.error(error instanceof Stop ? `tensorflow: ${error.message}` : error);
  process.exitCode = 1;
});
