import assert from 'node:assert/strict';
import fc from 'fast-check';
import { assignment } from '../../src/numeric/assignment.js';

type Costs = readonly (readonly number[])[];

const sum = (costs: Costs, columns: readonly number[]) =>
  columns.reduce((total, column, row) => total + (column < 0 ? 0 : costs[row]![column]!), 0);

/** The smallest sum of any assignment of as many rows as can have a column. */
function smallest(costs: Costs, row = 0, taken: readonly number[] = []): number {
  if (row === costs.length) return 0;
  const left = costs.length - row - 1;
  const columns = costs[row]!.map((_, j) => j).filter((j) => !taken.includes(j));
  const sums = columns.map((j) => costs[row]![j]! + smallest(costs, row + 1, [...taken, j]));
  // A row goes without where others take all columns that are left.
  if (left >= columns.length) sums.push(smallest(costs, row + 1, taken));
  return Math.min(...sums);
}

const cost = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1e3, max: 1e3, noNaN: true }));
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }))
  .chain(([rows, columns]) =>
    fc.array(fc.array(cost, { minLength: columns, maxLength: columns }), {
      minLength: rows,
      maxLength: rows,
    }),
  );

describe('assignment', () => {
  it('has the sum of the best of all assignments, and takes each column once', () => {
    fc.assert(
      fc.property(matrices, (costs) => {
        const columns = assignment(costs);
        const taken = columns.filter((column) => column >= 0);
        assert.equal(columns.length, costs.length);
        assert.equal(taken.length, Math.min(costs.length, costs[0]!.length));
        assert.equal(new Set(taken).size, taken.length);
        const [own, best] = [sum(costs, columns), smallest(costs)];
        assert.ok(Math.abs(own - best) <= 1e-9 * (1 + Math.abs(best)), `${own}, best ${best}`);
      }),
      { numRuns: 500 },
    );
  });

  it('says for each row its column, and -1 where there are too few', () => {
    assert.deepEqual(
      assignment([
        [4, 1, 3],
        [2, 0, 5],
      ]),
      [1, 0],
    );
    assert.deepEqual(
      assignment([
        [4, 2],
        [1, 0],
        [3, 5],
      ]),
      [1, 0, -1],
    );
    assert.deepEqual(assignment([]), []);
  });

  it('ends, and avoids them if it can, where costs are no numbers', () => {
    assert.deepEqual(
      assignment([
        [Number.NaN, 5, Infinity],
        [1, Number.NaN, Number.NaN],
      ]),
      [1, 0],
    );
    assert.equal(
      new Set(
        assignment([
          [NaN, NaN],
          [NaN, NaN],
        ]),
      ).size,
      2,
    );
  });
});
