import assert from 'node:assert/strict';
import fc from 'fast-check';
import { histogramOf } from '../../src/numeric/histogram.js';

describe('histogramOf', () => {
  it('counts every finite value in its interval, the largest in the last', () => {
    assert.deepEqual(histogramOf([0, 1, 1, 4, Number.NaN, Number.POSITIVE_INFINITY], 4), {
      min: 0,
      max: 4,
      sum: 6,
      sumSquares: 18,
      counts: [1, 2, 0, 1],
    });
  });

  it('has one interval for values that are all alike, and nothing for none', () => {
    assert.deepEqual(histogramOf([2, 2]), { min: 2, max: 2, sum: 4, sumSquares: 8, counts: [2] });
    assert.equal(histogramOf([Number.NaN]), undefined);
  });

  it('loses no value', () =>
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        (values) => {
          const { counts } = histogramOf(values)!;
          assert.equal(
            counts.reduce((a, b) => a + b),
            values.length,
          );
        },
      ),
    ));
});
