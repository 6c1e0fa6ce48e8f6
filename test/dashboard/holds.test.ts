import assert from 'node:assert/strict';
import { holds } from '../../src/dashboard/page/holds.js';

describe('holds', () => {
  const [x, y] = [
    { min: 1, max: 10 },
    { min: 0, max: 1 },
  ];
  const within = (steps: number[], values: (number | null)[]) => holds(x, y, [{ steps, values }]);

  it('is true of lines within the scales, their ends included, and of missing values', () => {
    assert.ok(within([1, 5, 10], [0, null, 1]));
    assert.ok(within([], []));
  });

  it('is false of a step before or behind the scale', () => {
    assert.ok(!within([0, 5], [0.5, 0.5]));
    assert.ok(!within([5, 11], [0.5, 0.5]));
  });

  it('is false of any value outside, not of the last one alone', () => {
    assert.ok(!within([1, 2, 3], [0.5, 2, 0.5]));
    assert.ok(!within([1, 2, 3], [-0.1, 0.5, 0.5]));
    assert.ok(
      !holds(x, y, [
        { steps: [1], values: [0.5] },
        { steps: [1, 2], values: [1.1, 0.5] },
      ]),
    );
  });

  it('is false of anything on scales without ends', () => {
    assert.ok(!holds({ min: null, max: null }, {}, [{ steps: [0], values: [0] }]));
  });
});
