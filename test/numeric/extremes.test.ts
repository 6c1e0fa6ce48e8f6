import assert from 'node:assert/strict';
import { argMax, maxOf, minOf, squareScale } from '../../src/numeric/extremes.js';

describe('extremes', () => {
  it('pass over NaN wherever it stands', () => {
    for (const values of [
      [Number.NaN, 1, 3, 2],
      [1, 3, Number.NaN, 2],
      [3, 1, 2, Number.NaN],
    ])
      assert.deepEqual([minOf(values), maxOf(values), values[argMax(values)]], [1, 3, 3]);
    const nothing = [Number.NaN, Number.NaN];
    assert.deepEqual([minOf(nothing), maxOf(nothing), argMax(nothing)], [Infinity, -Infinity, 1]);
  });

  it('take the first of equals, infinities among them', () => {
    assert.equal(argMax([0, 2, 2]), 1);
    assert.equal(argMax([-Infinity, -Infinity]), 0);
    assert.equal(argMax([Number.NaN, -Infinity, -Infinity]), 1);
  });

  it('take more numbers than a call has room for', () => {
    const values = new Float64Array(400_000).map((_, i) => i);
    assert.deepEqual([minOf(values), maxOf(values), argMax(values)], [0, 399_999, 399_999]);
  });

  it('scale what would overflow or vanish by a power of two, and nothing else', () => {
    assert.equal(squareScale([1, -1e99, Infinity]), 1);
    assert.equal(squareScale([0, 0]), 1);
    for (const size of [1.7e308, 1e-300, 5e-324]) {
      const scaled = size / squareScale([size, -size / 2, Number.NaN]);
      assert.ok(scaled >= 1 && scaled < 2, `${scaled}`);
    }
  });
});
