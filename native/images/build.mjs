// Builds the images addon where a C++ compiler is found; with it, decoding and augmentation leave the event loop.
//
//   node native/images/build.mjs            what `npm install` runs: quiet, and successful whatever is missing
//   node native/images/build.mjs --explain  says what is missing; fails where the build does
//
// CXX names the compiler, LDFLAGS its flags for linking, JPEG_ROOT a folder with libjpeg-turbo's include/ and lib/; --asan
// builds with AddressSanitizer and UndefinedBehaviorSanitizer, --out FILE puts the addon elsewhere. It is tuned to no processor and may be copied.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  compilers,
  eachInParallel,
  findCompiler,
  has,
  installCompiler,
  linkFlags,
  mac,
  nodeHeaders,
  outFile,
  output,
  putInPlace,
  reasonOf,
  run,
  sanitizers,
  sharedLibrary,
} from '../tools.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const explain = has('--explain');
const asan = has('--asan');
const out = outFile(join(dirname(here), 'build', asan ? 'images-asan.node' : 'images.node'));

/** Ends the script: an error that says how to go on when asked to explain, silence otherwise. */
function stop(problem, fix) {
  if (explain) console.error(`images: ${problem}\n  ${fix}`);
  process.exit(explain ? 1 : 0);
}

function headers() {
  try {
    return nodeHeaders();
  } catch (error) {
    return stop(error.message, 'npm install');
  }
}

if (process.platform === 'win32') stop('the addon builds on Linux and macOS only', 'Linux under WSL');
const compiler = findCompiler();
if (!compiler)
  stop(
    `missing: a C++ compiler (looked for ${compilers.join(', ')})`,
    `${installCompiler} && npm run build:images`,
  );

const work = mkdtempSync(join(tmpdir(), 'millrace-images-'));
const common = [
  '-std=c++17',
  '-fPIC',
  '-O3',
  '-fvisibility=hidden',
  '-fno-math-errno',
  '-fno-trapping-math',
  // Each product is rounded before it is added, as in JavaScript.
  '-ffp-contract=off',
  '-DNAPI_VERSION=8',
  '-DNAPI_CPP_EXCEPTIONS',
  ...headers().map((folder) => `-I${folder}`),
  ...(asan ? ['-g', ...sanitizers, '-fno-omit-frame-pointer'] : []),
];

/** Flags for libjpeg-turbo; none where it is not found, and JPEG is then sharp's to decode. */
async function jpeg() {
  const root = process.env.JPEG_ROOT ?? (mac && output('brew', '--prefix', 'jpeg-turbo'));
  const compile = root ? [`-I${join(root, 'include')}`] : [];
  const link = root ? [`-L${join(root, 'lib')}`, `-Wl,-rpath,${join(root, 'lib')}`, '-ljpeg'] : ['-ljpeg'];
  const source = join(work, 'probe.cpp');
  // Other libraries of this name round otherwise.
  writeFileSync(
    source,
    '#include <cstdio>\n#include <jpeglib.h>\n#ifndef LIBJPEG_TURBO_VERSION\n#error\n#endif\nint main() { jpeg_decompress_struct info; jpeg_create_decompress(&info); }\n',
  );
  const built = run(compiler.name, [...compile, source, ...link, '-o', join(work, 'probe')]);
  return (await built.catch(() => undefined)) && { compile: ['-DMILLRACE_JPEG', ...compile], link };
}

/** The loops over pixels are compiled once per instruction set, and chosen when the addon is loaded. */
const isas =
  process.arch === 'x64'
    ? {
        base: [],
        avx2: ['-mavx2', '-mfma'],
        avx512: ['-mavx512f', '-mavx512bw', '-mavx512vl', '-mavx512dq', '-mfma', '-mprefer-vector-width=512'],
      }
    : { base: [] };

let failure;
try {
  const library = await jpeg();
  const jobs = readdirSync(join(here, 'src'))
    .filter((name) => name.endsWith('.cpp'))
    .flatMap((name) =>
      Object.entries(name === 'loops.cpp' ? isas : { '': [] }).map(([isa, flags]) => ({
        source: join(here, 'src', name),
        object: join(work, `${name}-${isa}.o`),
        flags: isa ? [`-DMILLRACE_ISA=${isa}`, ...flags] : [],
      })),
    );
  const compile = ({ source, object, flags }) =>
    run(compiler.name, [...common, ...(library?.compile ?? []), ...flags, '-c', source, '-o', object]);
  await eachInParallel(jobs, compile);
  const linked = join(work, 'images.node');
  await run(compiler.name, [
    ...sharedLibrary,
    ...(asan ? [...sanitizers, ...(compiler.clang ? ['-shared-libasan'] : [])] : []),
    ...jobs.map(({ object }) => object),
    ...(library?.link ?? []),
    ...linkFlags,
    '-o',
    linked,
  ]);
  await putInPlace(linked, out);
  if (explain)
    console.log(
      `images: built ${out} with ${compiler.name}, ${library ? 'JPEG by libjpeg-turbo' : `JPEG by sharp (for faster decoding: ${mac ? 'brew install jpeg-turbo' : 'sudo apt-get install libjpeg62-turbo-dev, or libjpeg-turbo8-dev'}, and build again)`}`,
    );
} catch (error) {
  failure = error;
}
rmSync(work, { recursive: true, force: true });
if (failure) stop('the addon does not compile', reasonOf(failure));
