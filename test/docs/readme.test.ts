import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readEvents } from '../../src/events/read-events.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import { root, run } from '../recipes/run.js';
import { codeBlocks } from './examples.js';

const execute = promisify(execFile);

const blocks = (language: string) => codeBlocks(readFileSync(join(root, 'README.md'), 'utf8'), language);

describe('README', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-readme-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('opens with the two commands', () => {
    assert.deepEqual(blocks('sh').slice(0, 2), [
      'npm install && node recipes/train-localized.js',
      'npm test',
    ]);
  });

  it('names recipes that are there, and all of them', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const named = new Set(
      readme.match(
        /(?<=recipes\/|`)(train|inference|plot|data|hyperparam|worker|ablate|make|prepare|pretrain)[\w-]*/g,
      ),
    );
    for (const name of named) assert.ok(existsSync(join(root, 'recipes', `${name}.ts`)), name);
  });

  // An epoch of it; `npm run test:nightly` has them all.
  it('has a main command that trains, and names its scores and files', async () => {
    const { code, stdout, stderr } = await run('train-localized', ['--epochs=1'], dir);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /images\/s/);
    for (const path of ['models', 'logs', 'plots']) assert.ok(existsSync(join(dir, path)), path);
    assert.match(stdout, /Dice/);
  });

  // documents.test.ts checks its types.
  it('has a pipeline that runs', async () => {
    const folder = join(root, 'build', 'readme');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const program = join(folder, 'program.ts');
    writeFileSync(program, blocks('ts').join('\n'));
    const tsx = join(root, 'node_modules', '.bin', 'tsx');
    await execute(tsx, [program], { cwd: dir });
    const events = await eventsIn('logs/readme');
    assert.equal(events.at(-1)?.['type'], 'done');
  });

  it('has a pipeline that says the same as the recipe that spells it, and as the one that all recipes share', async () => {
    const spelled = await run('pipeline', [], dir);
    assert.equal(spelled.code, 0, spelled.stderr);
    const size = ['--r-block', '4', '--num-blocks-per-row', '4', '--alpha', '16', '--weight-decay', '0.01'];
    const pace = ['--lr', '1e-3', '--schedule', 'constant', '--epochs', '2', '--patience', '5'];
    const data = [
      '--data-percentage',
      '0.25',
      '--augment',
      'flip',
      '--run-name',
      'shared',
      '--pictures',
      '0',
    ];
    const shared = await run('train-localized', [...size, ...pace, ...data], dir);
    assert.equal(shared.code, 0, shared.stderr);
    const expected = await eventsIn('logs/readme');
    assert.deepEqual(await eventsIn('results/pipeline'), expected);
    assert.deepEqual(await eventsIn('logs/shared'), expected);
  });

  /** A run's events but for clocks and for what it was called, asked and kept in. */
  async function eventsIn(logs: string): Promise<Record<string, unknown>[]> {
    const events = await readEvents(join(dir, logs, 'events.jsonl'));
    return events.map(withoutClocks).map(({ run: _name, config: _asked, path: _place, ...event }) => event);
  }
});
