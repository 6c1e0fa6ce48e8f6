import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BruteForceSampler,
  createStudy,
  GridSampler,
  HyperbandPruner,
  loadStudy,
  PartialFixedSampler,
  TpeSampler,
  type Trial,
  TrialPruned,
} from '../../../exports/study.js';
import { paramNames } from '../../../src/study/trials/param-names.js';

const tried = (trials: readonly { readonly params: object }[]) =>
  trials.map(({ params }) => JSON.stringify(params)).sort();

describe('GridSampler', () => {
  const grid = { y: [1, 2, 3], x: ['a', 'b'], z: [null, true] };
  const suggest = (trial: Trial) => {
    trial.suggestCategorical('x', ['a', 'b']);
    trial.suggestFloat('y', 0, 5);
    trial.suggestCategorical('z', [true, null]);
    return 0;
  };

  it('tries every combination once and stops', async () => {
    const sampler = new GridSampler(grid);
    const study = await createStudy({ sampler });
    await study.optimize(suggest);
    const trials = await study.trials();
    assert.equal(sampler.size, 12);
    assert.equal(new Set(tried(trials)).size, 12);
    assert.equal(trials.length, 12);
  });

  // [t.params for t in study.trials] of optuna 4.9's GridSampler({"a": [1, 2], "b": [3, 4, 5]}, seed=3)
  it("follows Optuna's order", async () => {
    const study = await createStudy({ sampler: new GridSampler({ b: [3, 4, 5], a: [1, 2] }, { seed: 3 }) });
    await study.optimize((trial) => trial.suggestInt('a', 0, 9) + trial.suggestInt('b', 0, 9));
    const order = (await study.trials()).map(({ params }) => [params['a'], params['b']]);
    assert.deepEqual(order, ORDER);
  });

  it('gives an enqueued trial its own values and still visits the grid', async () => {
    const study = await createStudy({ sampler: new GridSampler({ x: [1, 2, 3] }) });
    await study.enqueueTrial({ x: 9 });
    await study.optimize((trial) => trial.suggestInt('x', 0, 9));
    assert.deepEqual(new Set((await study.trials()).map(({ params }) => params['x'])), new Set([1, 2, 3, 9]));
  });

  it('shares the grid between the brackets of Hyperband', async () => {
    const pruner = new HyperbandPruner({ minResource: 1, maxResource: 9 });
    const study = await createStudy({ sampler: new GridSampler({ x: [1, 2, 3, 4, 5, 6] }), pruner });
    await study.optimize(async (trial) => {
      const x = trial.suggestInt('x', 0, 9);
      for (let step = 0; step < 9; step++) {
        await trial.report(x, step);
        if (await trial.shouldPrune()) throw new TrialPruned();
      }
      return x;
    });
    assert.equal((await study.trials()).length, 6);
  });

  it('names a parameter that the grid lacks', async () => {
    const study = await createStudy({ sampler: new GridSampler({ x: [1] }) });
    const trial = await study.ask();
    assert.throws(() => trial.suggestInt('q', 0, 9), /grid: expected one of x, got "q"/);
    assert.throws(() => new GridSampler({ x: [] }), /expected values for "x", got none/);
  });
});

const ORDER = [
  [2, 3],
  [2, 5],
  [2, 4],
  [1, 4],
  [1, 3],
  [1, 5],
];

describe('BruteForceSampler', () => {
  const conditional = (trial: Trial) => {
    if (trial.suggestCategorical('c', ['float', 'int']) === 'float')
      return trial.suggestFloat('x', 1, 3, { step: 0.5 });
    const a = trial.suggestInt('a', 1, 3);
    return a + trial.suggestInt('b', a, 3);
  };

  for (const concurrency of [1, 3]) {
    it(`tries every combination of a conditional space and stops, ${concurrency} at a time`, async () => {
      const study = await createStudy({ sampler: new BruteForceSampler({ seed: 1 }) });
      await study.optimize(
        async (trial) => {
          const value = conditional(trial);
          await new Promise((done) => setTimeout(done, 1));
          return value;
        },
        { concurrency, trials: 40 },
      );
      const all = tried(await study.trials(['COMPLETE']));
      assert.equal(new Set(all).size, 11);
      if (concurrency === 1) assert.equal(all.length, 11);
    });
  }

  it('continues past a trial that failed halfway', async () => {
    const study = await createStudy({ sampler: new BruteForceSampler({ seed: 1 }) });
    let failed = false;
    await study.optimize(
      (trial) => {
        if (!failed) {
          failed = true;
          throw new Error('before any suggestion');
        }
        return conditional(trial);
      },
      { catches: () => true },
    );
    assert.equal(new Set(tried(await study.trials(['COMPLETE']))).size, 11);
  });

  it('keeps the order of suggestion whatever parameters are called, in every storage', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'brute-force-'));
    for (const storage of [
      'memory://',
      `sqlite:///${join(folder, 'a.db')}`,
      `journal://${join(folder, 'a.journal')}`,
    ]) {
      const names = ['10', 'x', '2', '__proto__', 'constructor'];
      const sum = (trial: Trial) => names.reduce((all, name) => all + trial.suggestInt(name, 0, 1), 0);
      const begun = await createStudy({
        storage,
        studyName: 's',
        sampler: new BruteForceSampler({ seed: 1 }),
      });
      await begun.optimize(sum, { trials: 20 });
      const study =
        storage === 'memory://'
          ? begun
          : await loadStudy({ storage, sampler: new BruteForceSampler({ seed: 2 }) });
      await study.optimize(sum);
      const all = await study.trials();
      assert.equal(all.length, 32);
      assert.equal(new Set(all.map(({ params }) => JSON.stringify(Object.entries(params)))).size, 32);
      assert.deepEqual(paramNames(all[0]!.distributions), names);
      await begun.close();
      if (study !== begun) await study.close();
    }
    rmSync(folder, { recursive: true });
  });

  it('refuses what has too many values to try', async () => {
    const trial = await (await createStudy({ sampler: new BruteForceSampler() })).ask();
    assert.throws(
      () => trial.suggestInt('x', 0, 1e9),
      /brute force: "x" has 1,000,000,001 values; narrow it/,
    );
  });

  it('refuses infinite spaces, and a space that changes', async () => {
    const study = await createStudy({ sampler: new BruteForceSampler() });
    const trial = await study.ask();
    assert.throws(() => trial.suggestFloat('x', 0, 1), /"x" has endless values; give it a step/);
    trial.suggestInt('a', 1, 2);
    await study.tell(trial, 1);
    const other = await study.ask();
    assert.throws(() => other.suggestInt('b', 1, 2), /"a" came before, now "b"/);
  });
});

describe('PartialFixedSampler', () => {
  it('keeps fixed values and samples the rest', async () => {
    const base = new TpeSampler({ seed: 1, multivariate: true, startupTrials: 3 });
    const study = await createStudy({ sampler: new PartialFixedSampler({ y: 4 }, base) });
    await study.optimize((trial) => trial.suggestFloat('x', 0, 1) + trial.suggestInt('y', 0, 9), {
      trials: 12,
    });
    const trials = await study.trials();
    assert.deepEqual([...new Set(trials.map(({ params }) => params['y']))], [4]);
    assert.equal(new Set(trials.map(({ params }) => params['x'])).size, 12);
  });
});
