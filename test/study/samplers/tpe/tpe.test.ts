import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import {
  createStudy,
  type ParamValue,
  RandomSampler,
  type Sampler,
  TpeSampler,
  type Trial,
} from '../../../../exports/study.js';
import type { TpeOptions } from '../../../../src/study/samplers/tpe/options.js';
import { violationOf } from '../../../../src/study/trials/constraints.js';
import { compareProposals, emptyTally } from '../compare-proposals.js';
import { proposals, type TpeCase } from '../tpe-cases.js';

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

  for (const defaults of ['optuna4', 'optuna5'] as const)
    it(`proposes within ranges that follow other values, seed after seed, with the defaults of ${defaults}`, async () => {
      for (let seed = 0; seed < 10; seed++) {
        const study = await createStudy({ sampler: new TpeSampler({ seed, defaults }) });
        await study.optimize(
          (trial) => {
            const a = trial.suggestFloat('a', -30, 30);
            const high = trial.number < 20 ? 100 : 1;
            return trial.suggestFloat('b', -30, a) + (trial.suggestFloat('c', 0, high) - 40) ** 2;
          },
          { trials: 40 },
        );
        for (const { params, number } of await study.trials()) {
          const [a, b, c] = ['a', 'b', 'c'].map((name) => Number(params[name]));
          assert.ok(
            b! >= -30 && b! <= a! && c! >= 0 && c! <= (number < 20 ? 100 : 1),
            `seed ${seed}: ${b} ${c}`,
          );
        }
      }
    });

  it('proposes for more parameters together than a product of densities has room for', async () => {
    // Forty densities of 1e-9 make 1e-360, sixty of 1e30 make 1e1800: neither is a double.
    const sampler = () => new TpeSampler({ seed: 1, multivariate: true });
    for (const [count, high] of [
      [40, 1e9],
      [60, 1e-30],
    ] as const) {
      const study = await createStudy({ sampler: sampler() });
      const sum = (trial: Trial) =>
        Array.from({ length: count }, (_, i) => trial.suggestFloat(`p${i}`, 0, high) / high).reduce(
          (a, b) => a + b,
        );
      await study.optimize(sum, { trials: 30 });
      const values = (await study.trials()).map((trial) => trial.values![0]!);
      const mean = (some: readonly number[]) => some.reduce((a, b) => a + b) / some.length;
      assert.ok(mean(values.slice(20)) < mean(values.slice(0, 10)), `${values}`);
    }
  });

  it('refuses invalid weights, counts and distances', async () => {
    const run = async (options: TpeOptions) => {
      const study = await createStudy({ sampler: new TpeSampler({ seed: 1, startupTrials: 3, ...options }) });
      await study.optimize((trial) => (trial.suggestCategorical('c', ['a', 'b']) === 'a' ? 0 : 1), {
        trials: 9,
      });
    };
    for (const [options, message] of [
      [{ weights: () => [] }, /weights: expected \d+ finite numbers from 0 up, not all 0, got \[\]/],
      [
        { weights: (n) => Array.from({ length: n }, () => Number.NaN) },
        /weights: expected \d+ finite numbers/,
      ],
      [{ weights: (n) => Array.from({ length: n }, () => 0) }, /weights: .* not all 0, got \[0/],
      [{ weights: (n) => Array.from({ length: n }, () => -1) }, /weights: .* from 0 up/],
      [{ gamma: () => Number.NaN }, /gamma: expected 0 or more of \d+ trials, got NaN/],
      [
        { categoricalDistance: { c: () => Number.NaN } },
        /categoricalDistance: expected a finite number from 0 up, got NaN/,
      ],
    ] as readonly [TpeOptions, RegExp][])
      await assert.rejects(run(options), { name: 'UserError', message });
    await run({ categoricalDistance: { c: () => 0 } });
  });

  it('notes constraints once a trial has its values, and counts NaN as violated beyond measure', async () => {
    const seen: unknown[] = [];
    const study = await createStudy({
      sampler: new TpeSampler({
        seed: 1,
        constraints: ({ values, state, number }) => {
          seen.push([state, values]);
          return [number === 1 ? Number.NaN : -1];
        },
      }),
      warn: () => {},
    });
    await study.tell(await study.ask(), 5);
    await assert.rejects(
      study.tell(await study.ask(), 1),
      /trial 1: expected constraints in an array of numbers, none NaN, got/,
    );
    assert.deepEqual(seen, [
      ['COMPLETE', [5]],
      ['COMPLETE', [1]],
    ]);
    assert.deepEqual([violationOf([Number.NaN, 1]), violationOf([2, -1, 1])], [Infinity, 3]);
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
