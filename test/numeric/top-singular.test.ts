import assert from 'node:assert/strict';
import fc from 'fast-check';
import { topSingular } from '../../src/numeric/top-singular.js';

describe('topSingular', () => {
  it('finds the largest values of wide, tall, deficient and repeated ones', () => {
    assert.deepEqual(topSingular([3, 0, 0, 0, 0, 2], 2, 3, 2).values.map(Math.round), [3, 2]);
    assert.deepEqual(topSingular([3, 0, 0, 0, 0, 2], 3, 2, 2).values.map(Math.round), [3, 2]);
    assert.deepEqual(
      topSingular([1, 0, 0, 0, 1, 0], 2, 3, 2).values.map((x) => x.toFixed(6)),
      ['1.000000', '1.000000'],
    );
    assert.deepEqual(
      topSingular([1, 2, 3, 2, 4, 6], 2, 3, 2).values.map((x) => x.toFixed(6)),
      ['8.366600', '0.000000'],
    );
  });

  it('rebuilds any small matrix from all of its triples', () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 6 }),
      columns: fc.integer({ min: 1, max: 6 }),
    });
    const matrices = sizes.chain(({ rows, columns }) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        values: fc.array(fc.integer({ min: -3, max: 3 }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        }),
      }),
    );
    fc.assert(
      fc.property(matrices, ({ rows, columns, values }) => {
        const { values: sigma, left, right } = topSingular(values, rows, columns, Math.min(rows, columns));
        values.forEach((value, at) => {
          const [i, j] = [Math.floor(at / columns), at % columns];
          const sum = sigma.reduce((total, s, k) => total + s * left[k]![i]! * right[k]![j]!, 0);
          assert.ok(Math.abs(sum - value) < 1e-6, `${sum} and ${value}`);
        });
      }),
    );
  });
});
