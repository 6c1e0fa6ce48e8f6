import assert from 'node:assert/strict';
import fc from 'fast-check';
import { erf, erfc } from '../../src/numeric/erf.js';
import { exp, log, pow } from '../../src/numeric/exp-log.js';
import { nextDown, roundHalfEven } from '../../src/numeric/float.js';
import { hypervolume } from '../../src/numeric/hypervolume.js';
import { pairwiseSum } from '../../src/numeric/pairwise-sum.js';
import golden from './golden/functions.json' with { type: 'json' };

describe('elementary functions', () => {
  it('round e^x, ln x and powers correctly', () => {
    for (const [x, value] of golden.exp) assert.equal(exp(x!), value, `exp ${x}`);
    for (const [x, value] of golden.log) assert.equal(log(x!), value, `ln ${x}`);
    for (const [n, d, value] of golden.pow) assert.equal(pow(n!, -1 / (d! + 4)), value, `${n}, ${d}`);
  });

  it('have the limits of Math.exp and Math.log', () => {
    const ends = [0, -0, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 710, -800];
    for (const x of ends) assert.equal(exp(x), Math.exp(x), `exp ${x}`);
    for (const x of [...ends, -1]) assert.equal(log(x), Math.log(x), `ln ${x}`);
  });

  it('give erf to a unit in the last place, and erfc to three', () => {
    const ulps = (a: number, b: number) => Math.abs(a - b) / 2 ** (Math.floor(Math.log2(Math.abs(b))) - 52);
    for (const [x, value] of golden.erf) assert.ok(ulps(erf(x!), value!) <= 1, `erf ${x}`);
    for (const [x, value] of golden.erfc) assert.ok(ulps(erfc(x!), value!) <= 3, `erfc ${x}`);
    for (const f of [erf, erfc]) assert.ok(Number.isNaN(f(Number.NaN)));
    assert.deepEqual([erf(30), erf(-30), erfc(30), erfc(-30)], [1, -1, 0, 2]);
  });

  it("sum in numpy's order", () => {
    for (const [n, sum] of golden.sums) {
      const terms = Float64Array.from({ length: n! }, (_, i) => 1 / (i + 1));
      assert.equal(pairwiseSum(terms), sum, `${n} terms`);
    }
  });

  it('step to the next double below, and round halves to even', () => {
    assert.deepEqual([nextDown(1), nextDown(-1), nextDown(0)], [1 - 2 ** -53, -1 - 2 ** -52, -5e-324]);
    assert.deepEqual([-2.5, -1.5, 0.5, 1.5, 2.5, 2.4].map(roundHalfEven), [-2, -2, 0, 2, 2, 2]);
  });
});

describe('hypervolume', () => {
  it('counts the cells that some point dominates', () => {
    const points = (d: number) =>
      fc.array(fc.array(fc.nat(4), { minLength: d, maxLength: d }), { minLength: 1, maxLength: 7 });
    for (const d of [2, 3, 4])
      fc.assert(
        fc.property(points(d), (front) => {
          const cells = Array.from({ length: 5 ** d }, (_, i) =>
            Array.from({ length: d }, (__, k) => Math.floor(i / 5 ** k) % 5),
          );
          const dominated = cells.filter((cell) =>
            front.some((point) => point.every((x, k) => x <= cell[k]!)),
          );
          assert.equal(hypervolume(front, Array(d).fill(5)), dominated.length);
        }),
        { numRuns: 60 },
      );
  });

  it('is infinite below an infinite reference, and nothing without points', () => {
    assert.equal(hypervolume([[1, 2]], [Number.POSITIVE_INFINITY, 3]), Number.POSITIVE_INFINITY);
    assert.equal(hypervolume([], [1, 1]), 0);
  });
});
