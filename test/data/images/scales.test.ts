import assert from 'node:assert/strict';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { drawnSize, scaledSizes } from '../../../src/data/images/scales.js';

const square = { width: 64, height: 64 };

describe('scaledSizes', () => {
  it('are multiples of the patch, at least one of them, each once', () => {
    assert.deepEqual(scaledSizes({ width: 96, height: 64 }, 16, [0.5, 1, 1.01, 2]), [
      { width: 48, height: 32 },
      { width: 96, height: 64 },
      { width: 192, height: 128 },
    ]);
    assert.deepEqual(scaledSizes(square, 16, [0.01]), [{ width: 16, height: 16 }]);
    for (const scale of [0, -1, Number.NaN, Infinity])
      assert.throws(() => scaledSizes(square, 16, [scale]), /scales: expected numbers above 0, got/);
  });
});

describe('drawnSize', () => {
  it('is one of the sizes, by seed, epoch and batch alone, each about as often', () => {
    const items = Array.from({ length: 300 }, (_, i) => ({ stem: `${i}` }));
    const sizes = scaledSizes(square, 16, [0.5, 1, 2]);
    const planned = (from: number) => [...batchPlans(items, { batchSize: 1, seed: 5, epochs: 2, from })];
    const drawn = planned(0).map((plan) => drawnSize(plan, sizes));
    assert.deepEqual(
      planned(417).map((plan) => drawnSize(plan, sizes)),
      drawn.slice(417),
    );
    for (const size of sizes) {
      const count = drawn.filter((other) => other === size).length;
      assert.ok(Math.abs(count - 200) < 58, `${count}`); // five standard deviations
    }
    assert.notDeepEqual(drawn.slice(0, 300), drawn.slice(300), 'another order each epoch');
  });
});
