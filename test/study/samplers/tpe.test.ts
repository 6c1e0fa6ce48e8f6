import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  createStudy,
  type ParamValue,
  RandomSampler,
  type Sampler,
  TpeSampler,
  type Trial,
} from '../../../src/index.js';
import { compareProposals, emptyTally } from './compare-proposals.js';
import { proposals, type TpeCase } from './tpe-cases.js';

describe('TpeSampler', () => {
  // Goldens: test/peers/optuna/make-tpe-golden.ts; test/peers/optuna/tpe.test.ts compares many more.
  for (const [version, defaults] of [
    ['4.9.0', 'optuna4'],
    ['5.0.0', 'optuna5'],
  ] as const) {
    it(`proposes what Optuna ${version} does after the same history`, async () => {
      const file = new URL(`golden/tpe-${version}.json`, import.meta.url);
      const golden = JSON.parse(await readFile(file, 'utf8')) as {
        case: TpeCase;
        asked: Record<string, ParamValue>[];
      }[];
      const tally = emptyTally();
      for (const { case: each, asked } of golden)
        compareProposals(each, await proposals(each, defaults), asked, tally);
      assert.deepEqual(tally.wrong, []);
      assert.ok(tally.values > 200 && tally.equal >= 0.98 * tally.values, JSON.stringify(tally));
    });
  }

  it('comes closer to the minimum of a paraboloid than chance', async () => {
    const best = async (sampler: Sampler) => {
      const study = await createStudy({ sampler });
      const paraboloid = (trial: Trial) =>
        trial.suggestFloat('x', -100, 100) ** 2 + trial.suggestInt('y', -100, 100) ** 2;
      await study.optimize(paraboloid, { trials: 60 });
      return study.bestValue();
    };
    for (const seed of [1, 2, 3, 4]) {
      const [ours, random] = [await best(new TpeSampler({ seed })), await best(new RandomSampler({ seed }))];
      assert.ok(ours < random, `seed ${seed}: ${ours}, by chance ${random}`);
    }
  });

  it('refuses options that contradict each other', () => {
    assert.throws(() => new TpeSampler({ group: true }), /group: it needs multivariate/);
    assert.throws(
      () => new TpeSampler({ candidates: 0 }),
      /candidates: expected an integer from 1 up, got 0/,
    );
    assert.throws(() => new TpeSampler({ priorWeight: -1 }), /priorWeight: expected 0 or more, got -1/);
  });
});
