import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createStudy } from '../../../../src/study/create-study.js';
import { optimize } from '../../../../src/study/optimize.js';
import { halton } from '../../../../src/study/samplers/qmc/halton.js';
import { QmcSampler } from '../../../../src/study/samplers/qmc/qmc.js';
import { sobol } from '../../../../src/study/samplers/qmc/sobol.js';

interface Case {
  readonly dimensions: number;
  readonly start: number;
  readonly points: readonly (readonly number[])[];
}

/** Made by golden/make_qmc.py from scipy. */
const golden: Record<'sobol' | 'halton', Case[]> = JSON.parse(
  readFileSync(new URL('golden/qmc.json', import.meta.url), 'utf8'),
);

describe('quasi-random sequences', () => {
  it("are scipy's Sobol points, unscrambled, to the last bit", () => {
    for (const { dimensions, start, points } of golden.sobol) {
      const point = sobol(dimensions);
      points.forEach((expected, i) => assert.deepEqual(point(start + i), expected));
    }
  });

  it("are scipy's Halton points, unscrambled, within an ulp or two", () => {
    for (const { dimensions, start, points } of golden.halton) {
      const point = halton(dimensions);
      points.forEach((expected, i) => {
        const actual = point(start + i);
        assert.equal(actual.length, dimensions);
        actual.forEach((x, d) =>
          assert.ok(Math.abs(x - expected[d]!) <= 4e-16, `${d}: ${x}, ${expected[d]}`),
        );
      });
    }
  });

  it('stay nets under scrambling: each stretch of 2^m points has one in each of 2^m equal parts of an axis', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 0, max: 6 }), fc.nat(100), (seed, m, stretch) => {
        const point = sobol(5, seed);
        const stretchOf = Array.from({ length: 2 ** m }, (_, i) => point(stretch * 2 ** m + i));
        for (let d = 0; d < 5; d++) {
          const parts = stretchOf.map((at) => Math.floor(at[d]! * 2 ** m)).sort((a, b) => a - b);
          assert.deepEqual(
            parts,
            parts.map((_, i) => i),
          );
        }
        // and in two dimensions, one in each elementary box, since Sobol's first two axes are a (0, m, 2)-net
        const half = Math.floor(m / 2);
        const boxes = new Set(
          stretchOf.map(([x, y]) => `${Math.floor(x! * 2 ** half)},${Math.floor(y! * 2 ** (m - half))}`),
        );
        assert.equal(boxes.size, 2 ** m);
      }),
      { numRuns: 60 },
    );
  });

  it('are uniform point by point under scrambling', () => {
    for (const sequence of [sobol, halton]) {
      for (const index of [0, 5]) {
        const coordinates = Array.from({ length: 400 }, (_, seed) => sequence(3, seed)(index)[2]!).sort(
          (a, b) => a - b,
        );
        // Kolmogorov-Smirnov at the level of a thousandth: 1.95 / √400
        const distance = Math.max(...coordinates.map((x, i) => Math.abs(x - (i + 0.5) / 400)));
        assert.ok(distance < 0.0975, `${distance}`);
      }
    }
  });

  it('suggest Halton when Sobol has no more dimensions', () => {
    assert.throws(() => sobol(257), /at most 256 dimensions, got 257; use the Halton/);
  });
});

describe('QmcSampler', () => {
  it('gives trial n point n − 1 of the space of the first trial, and the rest independently', async () => {
    const study = await createStudy({ sampler: new QmcSampler({ seed: 1 }) });
    await optimize(
      study,
      (trial) => {
        trial.suggestCategorical('kind', ['a', 'b']);
        return (
          trial.suggestFloat('x', -5, 5) +
          trial.suggestFloat('rate', 1e-3, 1, { log: true }) +
          trial.suggestInt('n', 1, 9)
        );
      },
      { trials: 5 },
    );
    const rows = (await study.trials()).slice(1).map(({ params }) => [params.x, params.rate, params.n]);
    // What Optuna's QMCSampler proposes, too: the corner, the middle, two quarters.
    const expected = [
      [-5, 0.001, 1],
      [0, 10 ** -1.5, 5],
      [2.5, 10 ** -2.25, 3],
      [-2.5, 10 ** -0.75, 7],
    ];
    rows.forEach((row, i) =>
      row.forEach((value, j) => assert.ok(Math.abs((value as number) - expected[i]![j]!) < 1e-12, `${row}`)),
    );
    assert.ok(new Set((await study.trials()).map(({ params }) => params.kind)).size === 2);
  });

  it('shares one scrambled sequence between workers of one seed', async () => {
    const run = async (concurrency: number) => {
      const study = await createStudy({ sampler: new QmcSampler({ scramble: true, seed: 3 }) });
      await optimize(study, (trial) => trial.suggestFloat('x', 0, 1), { trials: 1 });
      await optimize(study, (trial) => trial.suggestFloat('x', 0, 1), { trials: 16, concurrency });
      return (await study.trials()).slice(1).map(({ params }) => params.x);
    };
    const one = await run(1);
    assert.deepEqual(await run(4), one);
    assert.equal(new Set(one.map((x) => Math.floor((x as number) * 16))).size, 16);
  });
});
