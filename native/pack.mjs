// Packs the addons onednn and images as the platform package @millrace/onednn-linux-x64 (by the system's name), for
// machines without a compiler or oneDNN: npm run pack:native
//
// The package holds the addons and the shared libraries that they need beyond those of Node itself, each found beside the
// addon; oneDNN is linked in where the system has its static library. It runs wherever glibc is at least this system's.
import { copyFileSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './tools.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const system = `${process.platform}-${process.arch}`;
const name = `@millrace/onednn-${system}`;
const folder = join(here, 'build', 'packed', `onednn-${system}`);
const { version, license } = JSON.parse(readFileSync(join(here, '..', 'package.json'), 'utf8'));

/** The libraries that a machine with Node has. */
const EVERYWHERE = /^(ld-linux.*|linux-vdso|lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s))\.so/;

/** Builds an addon that looks for its libraries, and these for theirs, in its own folder. */
async function build(script, file) {
  const out = join(folder, file);
  // RPATH and not RUNPATH: it holds for the libraries of libraries as well.
  const env = { ...process.env, LDFLAGS: '-Wl,--disable-new-dtags,-rpath,$ORIGIN' };
  await run(process.execPath, [join(here, script), '--explain', '--static', '--out', out], { env });
  return out;
}

/** The paths of the libraries that an addon needs, those of its libraries included, and that Node does not bring. */
async function librariesOf(addon) {
  const { stdout } = await run('ldd', [addon]);
  return [...stdout.matchAll(/^\s*(\S+) => (\S+)/gm)]
    .filter(([, file]) => !EVERYWHERE.test(file))
    .map(([, file, path]) => ({ file, path: realpathSync(path) }));
}

async function pack() {
  if (process.platform !== 'linux')
    throw new Error(
      `expected Linux, got ${process.platform}; there \`npm run build:native\` builds the addons in place`,
    );
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const addons = [await build('install.mjs', 'onednn.node'), await build('images/build.mjs', 'images.node')];
  const libraries = new Map(
    (await Promise.all(addons.map(librariesOf))).flat().map(({ file, path }) => [file, path]),
  );
  for (const [file, path] of libraries) copyFileSync(path, join(folder, file));
  const description = `The addons of millrace, built for ${system}`;
  const platform = { os: [process.platform], cpu: [process.arch], libc: ['glibc'] };
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name, version, description, license, ...platform }, null, 2)}\n`,
  );
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}\n\n${description}: ${addons.map((addon) => basename(addon)).join(', ')}, with ${[...libraries.keys()].join(', ')}, each under its own licence.\n`,
  );
  const { stdout } = await run('npm', [
    'pack',
    '--silent',
    '--pack-destination',
    join(here, 'build'),
    folder,
  ]);
  console.log(join(here, 'build', stdout.trim()));
}

pack().catch((error) => {
  console.error(`pack:native: ${error.stderr || error.message}`);
  process.exitCode = 1;
});
