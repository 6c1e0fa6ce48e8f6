import assert from 'node:assert/strict';
import {
  categoricalDistribution,
  createStudy,
  type Distribution,
  type FrozenTrial,
  floatDistribution,
  intDistribution,
  NopPruner,
  type ParamValue,
  type Trial,
  toInternal,
} from '../../exports/study.js';
import { inBounds, SUBJECTS } from './sampler-subjects.js';

/** One of each kind, some of them with an end that is no round number. */
const DISTRIBUTIONS: readonly Distribution[] = [
  floatDistribution(-1, 0),
  floatDistribution(1e-7, 10, { log: true }),
  floatDistribution(-10.2, 10.2, { step: 0.1 }),
  intDistribution(-10, 10),
  intDistribution(-10, 0, { step: 2 }),
  intDistribution(1, 100, { log: true }),
  categoricalDistribution([1, 'a', null]),
];

const ended = (values: number[], params: Record<string, [Distribution, ParamValue]>) => ({
  state: 'COMPLETE' as const,
  values,
  params: Object.fromEntries(Object.entries(params).map(([name, [, value]]) => [name, value])),
  distributions: Object.fromEntries(Object.entries(params).map(([name, [d]]) => [name, d])),
});

/** What a number would be worth, of any parameter. */
const worth = (trial: Trial, spaces: Record<string, Distribution>) =>
  Object.entries(spaces).reduce((sum, [name, d]) => sum + toInternal(d, trial.suggest(name, d)), 0);

// Those with an end of their own take no space but theirs: exhaustive.test.ts.
for (const { name, make } of SUBJECTS.filter(({ exhaustive }) => !exhaustive)) {
  // As many startup trials as most have, and some from the model.
  const few = 8;

  describe(`sampler contract, spaces: ${name}`, () => {
    it('proposes every kind of parameter beside every other, within its range and on its grid', async () => {
      for (const [i, x] of DISTRIBUTIONS.entries()) {
        const y = DISTRIBUTIONS[(i + 3) % DISTRIBUTIONS.length]!;
        const study = await createStudy({ sampler: make(i), pruner: new NopPruner() });
        await study.optimize((trial) => worth(trial, { x, y }), { trials: few });
        const all = await study.trials(['COMPLETE']);
        assert.equal(all.length, few);
        all.forEach(inBounds);
      }
    });

    for (const [what, low, high] of [
      ['narrows', 0, 5],
      ['narrows to little', 9.9, 10],
      ['widens', 0, 20],
      ['moves away', 20, 30],
      ['moves far away', 1e6, 1e6 + 1],
    ] as const)
      it(`goes on where a range ${what}`, async () => {
        const study = await createStudy({ sampler: make(1), pruner: new NopPruner() });
        const within = (from: number, to: number) => (trial: Trial) =>
          trial.suggestFloat('x', from, to) +
          trial.suggestInt('y', Math.floor(from), Math.ceil(to)) +
          trial.suggestFloat('z', from + 1, to + 1, { log: true });
        await study.optimize(within(0, 10), { trials: few });
        await study.optimize(within(low, high), { trials: few });
        const all = await study.trials(['COMPLETE']);
        assert.equal(all.length, 2 * few);
        all.forEach(inBounds);
      });

    it('goes on where each range depends on the value before', async () => {
      const study = await createStudy({ sampler: make(0), pruner: new NopPruner() });
      const follow = (trial: Trial) => {
        const a = trial.suggestFloat('a', -30, 30);
        return trial.suggestFloat('b', -30, a);
      };
      await study.optimize(follow, { trials: 3 * few });
      (await study.trials(['COMPLETE'])).forEach(inBounds);
    });

    it('returns the only value of a range of one value', async () => {
      const study = await createStudy({ sampler: make(2) });
      const single = {
        a: categoricalDistribution([1]),
        b: intDistribution(1, 1),
        c: intDistribution(1, 1, { log: true }),
        d: floatDistribution(1, 1),
        e: floatDistribution(1, 1, { log: true }),
        f: floatDistribution(1, 1, { step: 1 }),
        g: floatDistribution(1, 1.5, { step: 1 }),
      };
      for (let i = 0; i < 3; i++) {
        const trial = await study.ask(single);
        await study.tell(trial, 1);
        for (const param of Object.keys(single)) assert.equal(trial.params[param], 1, param);
      }
    });

    it('accepts a history in which parameters depend on others', async () => {
      const study = await createStudy({ sampler: make(3) });
      const [kind, own] = [categoricalDistribution(['x', 'y']), categoricalDistribution(['a', 'b'])];
      await study.addTrial(ended([0.1], { kind: [kind, 'x'], x: [own, 'a'] }));
      await study.addTrial(ended([0.1], { kind: [kind, 'y'], y: [own, 'b'] }));
      await study.optimize(
        (trial) => toInternal(own, trial.suggest(String(trial.suggest('kind', kind)), own)),
        { trials: few },
      );
      (await study.trials(['COMPLETE'])).forEach(inBounds);
    });

    it('goes on past NaN and infinities, and the best stays the best', async () => {
      const study = await createStudy({ sampler: make(4), pruner: new NopPruner(), warn: () => {} });
      const plus = (base: number) => (trial: Trial) => trial.suggestFloat('x', 0.1, 0.2) + base;
      for (const base of [9, 8, 7, 6, 5, 4, 3, 2]) await study.optimize(plus(base), { trials: 1 });
      assert.equal(Math.floor(await study.bestValue()), 2);
      for (const base of [Number.NaN, Infinity]) {
        await study.optimize(plus(base), { trials: 2 });
        assert.equal(Math.floor(await study.bestValue()), 2);
      }
      await study.optimize(plus(1), { trials: 1 });
      assert.equal(Math.floor(await study.bestValue()), 1);
      await study.optimize(plus(-Infinity), { trials: 1 });
      await study.optimize(plus(5), { trials: 2 });
      assert.equal(await study.bestValue(), -Infinity);
      (await study.trials(['COMPLETE'])).forEach(inBounds);
    });

    it('takes values of any size', async () => {
      const study = await createStudy({ sampler: make(5), pruner: new NopPruner() });
      const huge = (trial: Trial) => (trial.suggestFloat('x', -8e307, 8e307) > 0 ? 1.7e308 : -1.7e308);
      await study.optimize(huge, { trials: 2 * few });
      (await study.trials(['COMPLETE'])).forEach(inBounds);
      const tiny = await createStudy({ sampler: make(5), pruner: new NopPruner() });
      await tiny.optimize((trial) => trial.suggestFloat('x', 0, 1e-300), { trials: 2 * few });
      (await tiny.trials(['COMPLETE'])).forEach(inBounds);
    });

    it('distinguishes parameters whatever their names', async () => {
      const study = await createStudy({ sampler: make(6), pruner: new NopPruner() });
      const names = ['10', '2', '__proto__', 'constructor', 'a.b', ''];
      const values: number[][] = [];
      await study.optimize(
        (trial) => {
          const drawn = names.map((param) => trial.suggestFloat(param, 0, 1));
          assert.deepEqual(
            names.map((param) => trial.suggestFloat(param, 0, 1)),
            drawn,
          );
          values.push(drawn);
          return drawn.reduce((a, b) => a + b);
        },
        { trials: 2 * few },
      );
      const stored = (await study.trials()).map(({ params }: FrozenTrial) =>
        names.map((param) => Object.getOwnPropertyDescriptor(params, param)?.value as number),
      );
      assert.deepEqual(stored, values);
    });
  });
}
