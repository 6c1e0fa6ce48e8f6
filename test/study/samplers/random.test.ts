import assert from 'node:assert/strict';
import { lastValueFrom, mergeMap, of, toArray } from 'rxjs';
import { createStudy, RandomSampler, report, type Trial, trials } from '../../../exports/study.js';
import { NumpyRandom } from '../../../src/random/numpy-random.js';

/** What optuna 4.9 proposed: golden/make_random.py. */
import golden from './golden/random.json' with { type: 'json' };

describe('RandomSampler', () => {
  const suggest = (trial: Trial) => {
    trial.suggestFloat('x', -5, 3);
    trial.suggestFloat('s', 0, 1, { step: 0.1 });
    trial.suggestInt('i', -3, 9);
    trial.suggestInt('il', 1, 1000, { log: true });
    trial.suggestInt('is', 0, 20, { step: 3 });
    trial.suggestCategorical('c', ['a', 'b', 'c']);
    return 0;
  };

  it("proposes what Optuna's of the same seed does", async () => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: 7 }) });
    await study.optimize(suggest, { trials: golden.trials.length });
    assert.deepEqual(
      (await study.trials()).map(({ params }) => params),
      golden.trials,
    );
  });

  it('runs a study of streams', async () => {
    const study = await createStudy({ sampler: new RandomSampler({ seed: 1 }), direction: 'maximize' });
    const run = (trial: Trial) => of(trial.suggestFloat('x', 0, 1)).pipe(report(trial, (x: number) => x));
    await lastValueFrom(trials(study, 5).pipe(mergeMap(run), toArray()));
    const values = (await study.trials(['COMPLETE'])).map(({ values }) => values![0]!);
    assert.equal(values.length, 5);
    assert.equal(await study.bestValue(), Math.max(...values));
  });

  it('refuses a seed that is no 32-bit integer', () => {
    assert.throws(
      () => new RandomSampler({ seed: -1 }),
      /seed: expected an integer from 0 to 4294967295, got -1/,
    );
  });
});

describe('NumpyRandom', () => {
  it("draws as numpy's RandomState", () => {
    const random = NumpyRandom.fromSeed(5);
    const list = [...Array(10).keys()];
    random.shuffle(list);
    const drawn = {
      shuffle: list,
      integers: [1000, 1, 7, 2 ** 31].map((count) => random.integer(count)),
      indices: [...random.indices([0.1, 0.2, 0.3, 0.4], 6)],
      uniform: random.uniform(-3, 4),
      normal: Array.from({ length: 5 }, () => random.normal()),
    };
    assert.deepEqual(drawn, golden.numpy);
  });
});
