import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const recipe = fileURLToPath(new URL('demo-recipe.js', import.meta.url));
const shapes = JSON.stringify(new URL('shapes.js', import.meta.url).href);

describe('--plugin', () => {
  let dir: string;
  const write = (name: string, ...lines: string[]) => writeFileSync(join(dir, name), lines.join('\n'));
  const registers = (name: string, says: string) =>
    `import { shapes } from ${shapes}; shapes.register('${name}', () => '${says}');`;

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-plugins-'));
    write('star.mjs', registers('star', 'pointed'));
    write('line.mjs', registers('line', 'thin'));
    write('nothing.mjs', 'export const shape = 1;');
    write('taken.mjs', registers('circle', 'mine'));
    write('outside.mjs', "import 'millrace';");
    write('broken.mjs', '', "throw new RangeError('no luck');");
    write('demo.yaml', 'plugin: [./star.mjs]', 'shape: star');
    const pack = join('node_modules', 'shapely');
    mkdirSync(join(dir, pack), { recursive: true });
    write(join(pack, 'package.json'), '{"name": "shapely", "main": "index.mjs"}');
    write(join(pack, 'index.mjs'), registers('package', 'wrapped'));
  });
  after(() => rmSync(dir, { recursive: true }));

  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((done) => {
      execFile(process.execPath, [recipe, ...args], { cwd: dir }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code) : 0, stdout, stderr }),
      );
    });
  const refuses = async (args: string[], message: string | RegExp) => {
    const { code, stderr, stdout } = await run(...args);
    assert.equal(code, 1, stdout);
    if (typeof message === 'string') assert.equal(stderr, `demo-recipe: ${message}\n`);
    else assert.match(stderr, message);
  };

  it('takes what a module registers for a name of a flag', async () => {
    const { stdout, stderr } = await run('--end=shape', '--plugin', './star.mjs', '--shape', 'star');
    assert.deepEqual({ stdout, stderr }, { stdout: 'pointed ["./star.mjs"]\n', stderr: '' });
  });

  it('takes several, also a package', async () => {
    const args = ['--end=shape', '--plugin', './star.mjs,line.mjs', '--plugin=shapely', '--shape=package'];
    assert.equal((await run(...args)).stdout, 'wrapped ["./star.mjs","line.mjs","shapely"]\n');
  });

  it('takes those of a config file, which the command line replaces', async () => {
    const config = ['--end=shape', '--config', 'demo.yaml'];
    assert.equal((await run(...config)).stdout, 'pointed ["./star.mjs"]\n');
    await refuses(
      [...config, '--plugin=line.mjs'],
      'demo.yaml: shape: expected one of circle, square, line, got "star"',
    );
  });

  it('gives a recipe no such setting without one', async () => {
    assert.equal((await run('--end=shape')).stdout, 'round none\n');
  });

  it('lists the new names in the help, and where a name is unknown', async () => {
    const { stdout } = await run('--plugin', 'star.mjs', '--help');
    assert.match(stdout, /--shape NAME +what is drawn \(one of circle, square, star; default circle\)/);
    await refuses(
      ['--plugin=star.mjs', '--shape=stra'],
      '--shape: expected one of circle, square, star, got "stra"; did you mean star?',
    );
    await refuses(['--shape=star'], '--shape: expected one of circle, square, got "star"');
  });

  it('refuses a module that is missing, throws, or registers nothing', async () => {
    await refuses(['--plugin=./none.mjs'], '--plugin ./none.mjs: expected a module, got no file');
    await refuses(
      ['--plugin=shapless'],
      '--plugin shapless: expected a module, got neither a file nor a package; npm install shapless',
    );
    await refuses(
      ['--plugin=nothing.mjs'],
      "--plugin nothing.mjs: expected a module that registers something, such as losses.register('mine', …) of millrace, got one that does not",
    );
    await refuses(
      ['--plugin=broken.mjs'],
      /^demo-recipe: --plugin broken\.mjs: expected a module that loads, got RangeError: no luck\n +at .*broken\.mjs:2/,
    );
    await refuses(
      ['--plugin=taken.mjs'],
      /--plugin taken\.mjs: expected a module that loads, got UserError: shape: expected a new name, got "circle", which another shape has\n/,
    );
    await refuses(
      ['--plugin=outside.mjs'],
      /got Error: Cannot find package 'millrace' .*; outside\.mjs must lie in a project that has millrace installed \(npm install\), or below \/.*\n$/,
    );
    await refuses(['--plugin'], /--plugin: expected a comma-separated list, each text, got nothing/);
  });
});
