import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadStudy } from '../../src/study/create-study.js';
import { needsPlace } from '../study/databases.js';
import { middle } from '../study/sampler.js';
import { crowd } from '../study/worker-crowd.js';
import { run, type SharedProcess, sharedProcess } from './run.js';

const OBJECTIVES = {
  'plain.mjs': `export default (trial) => (trial.suggestFloat('x', -10, 10) - 2) ** 2;`,
  'odd.mjs': `export default (trial) => {
    trial.suggestFloat('x', 0, 1);
    if (trial.number % 2) throw new Error('odd');
    return 1;
  };`,
  'pair.mjs': `export default async (trial) => [trial.suggestInt('n', 1, 9), 2];`,
  'stream.mjs': `import { Observable } from 'rxjs';
  export default (trial) => new Observable((subscriber) => {
    for (let step = 0; step < 3; step++) subscriber.next({ step, value: trial.number + step });
    subscriber.complete();
  });`,
  'kinds.mjs': `export default ({ number }) => ['0.5', [1, 2], undefined, true, 4][number];`,
  'broken.mjs': 'no module {',
  'none.mjs': 'export const objective = 1;',
  'grid.mjs': `export const searchSpace = { x: [-1, 0, 1], kind: ['a', 'b'] };
  export default (trial) => trial.suggestFloat('x', -1, 1) ** 2 + (trial.suggestCategorical('kind', ['a', 'b']) === 'a');`,
  'whole.mjs': `export default (trial) => trial.suggestInt('n', 1, 5);`,
  'odd-space.mjs': `export const searchSpace = { x: 3 }; export default () => 1;`,
  'rising.mjs': `import { Observable } from 'rxjs';
  export default (trial) => new Observable((subscriber) => {
    for (let step = 0; step < 5 && !subscriber.closed; step++) subscriber.next({ step, value: trial.number * step });
    subscriber.complete();
  });`,
};

describe('worker', () => {
  let dir: string;
  let shared: SharedProcess;
  before(() => {
    shared = sharedProcess();
    // Beside the package, so that an objective finds rxjs.
    dir = mkdtempSync(join(import.meta.dirname, 'worker-'));
    for (const [name, text] of Object.entries(OBJECTIVES)) writeFileSync(join(dir, name), text);
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const workBy = (by: typeof run, studyName: string, objective: string, ...args: string[]) =>
    by('worker', [`--objective=${objective}.mjs`, `--study-name=${studyName}`, ...args], dir);
  const workOn = (studyName: string, objective: string, ...args: string[]) =>
    workBy(shared.run, studyName, objective, ...args);
  const work = (objective: string, ...args: string[]) => workOn(objective, objective, ...args);
  const open = async (studyName: string) => {
    const study = await loadStudy({
      storage: `sqlite:///${join(dir, 'study.db')}`,
      studyName,
      sampler: middle,
    });
    const trials = await study.trials();
    await study.close();
    return { study, trials };
  };

  it('creates the study, runs its trials, and adds none to it later', async () => {
    const { code, stdout, stderr } = await workBy(
      run,
      'plain',
      'plain',
      '--n-trials=6',
      '--random-seed=1',
      '--concurrency=2',
    );
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^trial \d COMPLETE [\d.e-]+ \{"x":/);
    assert.match(stdout, /plain: 6 trials and 0 that failed\n$/);
    const { trials } = await open('plain');
    assert.deepEqual(
      trials.map(({ state }) => state),
      Array.from({ length: 6 }, () => 'COMPLETE'),
    );
    assert.equal((await work('plain', '--n-trials=6')).stdout, 'plain: 6 trials and 0 that failed\n');
    assert.match((await work('plain', '--n-trials=8')).stdout, /plain: 8 trials/);
  });

  it('takes several values, and a stream of reports that may be pruned', async () => {
    assert.equal(
      (await work('pair', '--n-trials=6', '--directions=minimize,maximize', '--sampler=nsga2')).code,
      0,
    );
    assert.deepEqual((await open('pair')).study.directions, ['minimize', 'maximize']);
    const { code, stderr } = await work('stream', '--n-trials=8');
    assert.deepEqual([code, stderr], [0, '']);
    const { trials } = await open('stream');
    assert.deepEqual(
      trials.map(({ state }) => state),
      [...Array.from({ length: 5 }, () => 'COMPLETE'), 'PRUNED', 'PRUNED', 'PRUNED'],
    );
    assert.deepEqual(
      [...trials[1]!.intermediateValues],
      [
        [0, 1],
        [1, 2],
        [2, 3],
      ],
    );
    assert.deepEqual(trials[1]!.values, [3]);
  });

  it('tries a grid that the module gives, whoever works on it, then stops', async () => {
    const args = ['--sampler=grid', '--n-trials=50', '--concurrency=2'];
    const ended = await Promise.all([work('grid', ...args), work('grid', ...args)]);
    for (const { code, stderr } of ended) assert.deepEqual([code, stderr], [0, '']);
    const { trials } = await open('grid');
    const tried = new Set(trials.map(({ params }) => JSON.stringify([params.x, params.kind])));
    assert.equal(tried.size, 6);
    assert(trials.length < 12, `${trials.length} trials for 6 points`);
    const without = await workOn('no-grid', 'plain', '--sampler=grid');
    assert.match(without.stderr, /^worker: grid: expected a search space, .*got none; .*searchSpace\n$/);
    const odd = await work('odd-space', '--sampler=grid');
    assert.match(odd.stderr, /^worker: --objective odd-space\.mjs: expected an export searchSpace such as/);
  });

  it('tries all values by brute force, and proposes with a Gaussian process', async () => {
    const whole = await work('whole', '--sampler=brute-force', '--n-trials=50', '--random-seed=1');
    assert.deepEqual([whole.code, whole.stderr], [0, '']);
    const { trials } = await open('whole');
    assert.deepEqual(trials.map(({ params }) => params.n).toSorted(), [1, 2, 3, 4, 5]);
    const gp = await workOn('gp', 'plain', '--sampler=gp', '--n-trials=14', '--random-seed=1');
    assert.deepEqual([gp.code, gp.stderr], [0, '']);
    const values = (await open('gp')).trials.map(({ values }) => values![0]!);
    assert.equal(values.length, 14);
    assert(Math.min(...values.slice(10)) < Math.min(...values.slice(0, 10)), values.join(' '));
  });

  it('prunes by a threshold, and by patience, with the flags that each needs', async () => {
    const states = async (name: string, ...args: string[]) => {
      const { code, stderr } = await workOn(name, 'rising', '--n-trials=3', ...args);
      assert.deepEqual([code, stderr], [0, '']);
      return (await open(name)).trials.map(({ state, intermediateValues }) => [
        state,
        intermediateValues.size,
      ]);
    };
    // Trial n reports 0, n, 2n, 3n, 4n, of which lower is better.
    assert.deepEqual(await states('threshold', '--pruner=threshold', '--threshold-upper=4'), [
      ['COMPLETE', 5],
      ['COMPLETE', 5],
      ['PRUNED', 4],
    ]);
    assert.deepEqual(await states('patient', '--pruner=patient', '--pruner-patience=1'), [
      ['COMPLETE', 5],
      ['PRUNED', 3],
      ['PRUNED', 3],
    ]);
    const wrapped = ['--pruner=patient', '--pruner-patience=1', '--wrapped-pruner=threshold'];
    assert.deepEqual(await states('wrapped', ...wrapped, '--threshold-upper=5'), [
      ['COMPLETE', 5],
      ['COMPLETE', 5],
      ['PRUNED', 4],
    ]);
    for (const [args, message] of [
      [['--pruner=threshold'], '--pruner threshold: expected --threshold-lower, --threshold-upper or both'],
      [
        ['--threshold-upper=1'],
        '--threshold-upper: expected it with --pruner threshold, got --pruner median; leave it out',
      ],
      [
        ['--pruner=patient'],
        'patient: expected patience, the steps that a trial may go without improving, got none; see --pruner-patience',
      ],
    ] as const)
      assert.equal((await workOn('refused', 'rising', ...args)).stderr, `worker: ${message}\n`);
  });

  it('stops at an error of the objective, or continues with --catch', async () => {
    const { code, stderr } = await work('odd', '--n-trials=6');
    assert.equal(code, 1);
    assert.match(stderr, /^worker: --objective odd\.mjs: it threw Error: odd\n {4}at .*odd\.mjs:3:33\)?\n$/);
    const going = await work('odd', '--n-trials=6', '--catch-errors');
    assert.equal(going.code, 0);
    assert.match(going.stdout, /odd: 6 trials and \d that failed/);
    const failed = (await open('odd')).trials.filter(({ state }) => state === 'FAIL');
    assert(failed.every(({ systemAttrs }) => systemAttrs.fail_reason === 'odd'));
  });

  it('fails a trial whose objective returns no number, and says why', async () => {
    const { code } = await work('kinds', '--n-trials=1', '--catch-errors');
    assert.equal(code, 0);
    assert.deepEqual(
      (await open('kinds')).trials.map(
        ({ state, values, systemAttrs }) => values ?? [state, systemAttrs['fail_reason']],
      ),
      [
        [
          'FAIL',
          'report: expected a metric that is a number, or undefined where an event has none, got "0.5"',
        ],
        ['FAIL', '--objective kinds.mjs: expected 1 values, got 2'],
        ['FAIL', 'no value was told'],
        [
          'FAIL',
          'report: expected a metric that is a number, or undefined where an event has none, got true',
        ],
        [4],
      ],
    );
  });

  for (const [what, args, message] of [
    [
      'a missing module',
      ['--objective=nowhere.mjs'],
      /^worker: --objective nowhere\.mjs: expected a module, got no file\n$/,
    ],
    [
      'a module without objective',
      ['--objective=none.mjs'],
      /^worker: --objective none\.mjs: expected a default export that is a function/,
    ],
    [
      'a file that is no module',
      ['--objective=broken.mjs'],
      /^worker: --objective broken\.mjs: expected a module that loads, got SyntaxError: /,
    ],
    [
      'a missing folder',
      ['--objective=plain.mjs', '--storage=sqlite:////nowhere/study.db'],
      /^worker: sqlite:\/\/\/\/nowhere\/study\.db: folder \/nowhere is missing/,
    ],
    [
      'a server that is not there',
      ['--objective=plain.mjs', '--storage=postgresql://postgres@127.0.0.1:9/x'],
      /^worker: postgresql:.* no database server answers/,
    ],
  ] as const)
    it(`refuses ${what} in one line`, async () => {
      const { code, stdout, stderr } = await shared.run('worker', ['--study-name=bad', ...args], dir);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
      assert.equal(stderr.split('\n').length, 2);
    });

  it('loses nothing when some of many workers are killed', async function () {
    const place = await needsPlace(this, 'sqlite');
    await crowd(place, { workers: 3, trials: 30, killEvery: 900, kills: 3, work: 40, heartbeat: 0.7 });
    await place.remove();
  });
});
