import assert from 'node:assert/strict';
import fc from 'fast-check';
import { batchPlans } from '../../src/data/batch-plans.js';
import { permutation } from '../../src/data/permutation.js';
import { collectGarbage } from '../collect-garbage.js';

const pairs = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ stem: `${i}`, image: `${i}.jpg`, mask: `${i}.png` }));

describe('permutation', () => {
  it('hits each index once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (n, seed) => {
        const order = permutation(n, seed, 'test');
        const hit = new Set(Array.from({ length: n }, (_, i) => order(i)));
        assert.equal(hit.size, n);
        assert.ok([...hit].every((i) => i >= 0 && i < n));
      }),
    );
  });

  it('spreads evenly: each index is about as often in each place', () => {
    const counts = Array<number>(10).fill(0);
    for (let seed = 0; seed < 5000; seed++) counts[permutation(10, seed, 'test')(3)]!++;
    const chi2 = counts.reduce((sum, count) => sum + (count - 500) ** 2 / 500, 0);
    assert.ok(chi2 < 27.9, `chi² ${chi2}`); // 9 degrees of freedom, p = .001
  });
});

describe('batchPlans', () => {
  it('visits every pair once an epoch, in an order of that epoch', () => {
    const plans = [...batchPlans(pairs(10), { epochs: 2, batchSize: 4, seed: 1 })];
    assert.deepEqual(
      plans.map((plan) => [plan.epoch, plan.batch, plan.batches, plan.position, plan.samples.length]),
      [
        [1, 0, 3, 0, 4],
        [1, 1, 3, 1, 4],
        [1, 2, 3, 2, 2],
        [2, 0, 3, 3, 4],
        [2, 1, 3, 4, 4],
        [2, 2, 3, 5, 2],
      ],
    );
    const order = (epoch: number) =>
      plans.filter((plan) => plan.epoch === epoch).flatMap((plan) => plan.samples.map(({ index }) => index));
    assert.deepEqual(order(1).toSorted(), order(2).toSorted());
    assert.notDeepEqual(order(1), order(2));
  });

  it('continues at any position with the batches of an unbroken run', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 8 }),
        fc.nat(40),
        (n, batchSize, at) => {
          const options = { epochs: 3, batchSize, seed: 7 };
          const all = [...batchPlans(pairs(n), options)];
          assert.deepEqual([...batchPlans(pairs(n), { ...options, from: at })], all.slice(at));
        },
      ),
    );
  });

  it('drops a short last batch when asked', () => {
    const plans = [...batchPlans(pairs(10), { batchSize: 4, seed: 1, dropLast: true })];
    assert.deepEqual(
      plans.map(({ samples }) => samples.length),
      [4, 4],
    );
  });

  it('refuses counts that are not positive integers', () => {
    for (const wrong of [
      { batchSize: 0 },
      { batchSize: 1.5 },
      { epochs: 0 },
      { epochs: Number.NaN },
      { from: -1 },
    ])
      assert.throws(
        () => batchPlans(pairs(3), { batchSize: 2, seed: 1, ...wrong }),
        /expected an? (integer|count)/,
      );
  });

  it('plans a million files lazily and without end', () => {
    const million = pairs(1_000_000);
    const heap = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    const plans = batchPlans(million, { epochs: Infinity, batchSize: 32, seed: 42 })[Symbol.iterator]();
    for (let i = 0; i < 40_000; i++) plans.next();
    assert.equal(plans.next().value?.epoch, 2);
    const grown = (heap() - before) / 2 ** 20;
    assert.ok(grown < 8, `planning grew the heap by ${grown.toFixed(1)} MiB`);
  });
});
