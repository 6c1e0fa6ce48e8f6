import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlocks, valueIn, withChecks } from '../docs/examples.js';
import { root } from '../recipes/run.js';
import { sharpBinaries } from './sharp-binaries.js';

const execute = promisify(execFile);

/** The documents that a stranger follows, and whether their examples are run here or only compiled. */
const DOCUMENTS = { 'README.md': false, 'docs/own-data.md': true, 'docs/extend.md': true };

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
  },
  include: ['*.ts'],
};

/** A module that uses all subpaths, and names their types. */
const FACES = `
import { type Adapter, Run } from 'millrace';
import { type Sampler, createStudy } from 'millrace/study';
import { type Plot, runPlots } from 'millrace/report';
import { type Task, trainingRun } from 'millrace/recipe';
export type { Adapter, Plot, Sampler, Task };
export const names = [Run, createStudy, runPlots, trainingRun].map(({ name }) => name);
`;

// Needs the network, or npm's cache: the package is installed as a stranger installs it.
describe('the packed package in a project of its own', () => {
  let dir: string;
  let faults: readonly string[];
  const inProject = (...command: [string, ...string[]]) =>
    execute(command[0], command.slice(1), { cwd: dir, env: { ...process.env, NO_COLOR: '1' } });
  const npx = (line: string) => inProject('npx', '--no-install', ...line.split(/\s+/).slice(1));

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-stranger-'));
    await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', dir], { cwd: root });
    const tarball = readdirSync(dir).find((file) => file.endsWith('.tgz'))!;
    const project = {
      type: 'module',
      dependencies: { millrace: `file:./${tarball}`, ...sharpBinaries() },
      devDependencies: { '@types/node': '20' },
    };
    writeFileSync(join(dir, 'package.json'), JSON.stringify(project));
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline'];
    // Without scripts there is no onednn engine, which would take minutes to compile: wasm computes.
    await inProject('npm', 'install', '--omit=optional', '--ignore-scripts', ...quiet);
    for (const [path, runs] of Object.entries(DOCUMENTS)) writeProgram(path, runs);
    writeFileSync(join(dir, 'faces.ts'), FACES);
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    const tsc = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await inProject(tsc, '--pretty', 'false').catch((error) => error);
    faults = stdout.split('\n').filter((line: string) => /error TS/.test(line));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('has types that a strict compiler takes, but for those of TensorFlow.js', () => {
    const counts = new Map<string, number>();
    for (const fault of faults) {
      const [place] = /^(node_modules\/(@[^/]+\/)?[^/]+|[^(]+)/.exec(fault)!;
      counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    console.log(`      faults: ${JSON.stringify(Object.fromEntries(counts))}`);
    const others = [...counts.keys()].filter((place) => !/^node_modules\/@(tensorflow|webgpu)\//.test(place));
    assert.deepEqual(others, [], faults.join('\n'));
  });

  it('brings its subpaths, its documents and nothing that only builds them', async () => {
    const { stdout } = await inProject(
      'node',
      '--input-type=module',
      '-e',
      "import { names } from './faces.js'; console.log(names.join());",
    );
    assert.equal(stdout, 'Run,createStudy,runPlots,trainingRun\n');
    const installed = join(dir, 'node_modules', 'millrace');
    for (const path of Object.keys(DOCUMENTS)) assert.ok(existsSync(join(installed, path)), path);
    for (const path of ['docs/api', 'test', 'dist/test', 'native/build'])
      assert.ok(!existsSync(join(installed, path)), path);
  });

  it('lists its recipes, and each one has help', async () => {
    const { stdout } = await npx('npx millrace list');
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]!);
    const recipes = readdirSync(join(root, 'recipes')).filter((file) => file.endsWith('.ts'));
    assert.deepEqual(names.toSorted(), recipes.map((file) => file.replace('.ts', '')).toSorted());
    assert.match((await npx('npx millrace train --help')).stdout, /^Usage: npx millrace train \[flags\]/);
  });

  for (const [path, runs] of Object.entries(DOCUMENTS))
    if (runs) it(`${path}: its examples run, in order`, () => inProject('node', programOf(path)));

  it('docs/extend.md: its commands train with a plugin and score what they trained', async () => {
    plugin('output-scale.js', /adapters\.register\('output_scale'/);
    plugin('loss-list.js', /loggers\.register\('loss-list'/);
    const commands = codeBlocks(read('docs/extend.md'), 'sh')
      .flatMap((block) => block.split('\n'))
      .filter((line) => line.includes('--run-name'));
    assert.equal(commands.length, 3);
    const outputs: string[] = [];
    for (const line of commands) outputs.push((await npx(line)).stdout);
    assert.match(outputs[1]!, /output_scale/);
    assert.match(readFileSync(join(dir, 'logs/listed/losses.txt'), 'utf8'), /^1 0\.\d+\n$/);

    renameSync(join(dir, 'output-scale.js'), join(dir, 'moved.js'));
    const moved = await npx('npx millrace inference --run-name scaled --plugin ./moved.js --overwrite');
    assert.equal(moved.stdout, outputs[1]);
  });

  /** A document's examples as modules, and a program that runs them in turn and checks what stands behind `// =>`. */
  function writeProgram(path: string, runs: boolean): void {
    const stem = programOf(path).replace('.mjs', '');
    const blocks = codeBlocks(read(path), 'ts').map((code) => (runs ? withChecks(code) : code));
    const expected: Record<string, unknown> = {};
    blocks.forEach((code, i) => {
      for (const [, comment] of code.matchAll(/^shown\(.*, (".*")\);$/gm))
        expected[JSON.parse(comment!)] = valueIn(JSON.parse(comment!));
      const declared = 'declare const shown: (value: unknown, comment: string) => void;\nexport {};\n';
      writeFileSync(join(dir, `${stem}-${i}.ts`), `${code}\n${declared}`);
    });
    const program = `
import assert from 'node:assert/strict';
const expected = ${JSON.stringify(expected)};
globalThis.shown = (value, comment) => assert.deepEqual(value, expected[comment]);
${blocks.map((_, i) => `await import('./${stem}-${i}.js');`).join('\n')}
`;
    writeFileSync(join(dir, programOf(path)), program);
  }

  /** The compiled example of docs/extend.md that registers something, as a file that a command names. */
  function plugin(file: string, registers: RegExp): void {
    const at = codeBlocks(read('docs/extend.md'), 'ts').findIndex((code) => registers.test(code));
    const code = readFileSync(join(dir, `docs-extend-${at}.js`), 'utf8');
    writeFileSync(join(dir, file), code.replaceAll(/^shown\(.*\n/gm, ''));
  }
});

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function programOf(path: string): string {
  return `${path.replace('.md', '').replaceAll('/', '-')}.mjs`;
}
