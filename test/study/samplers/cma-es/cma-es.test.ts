import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { symmetricEigen } from '../../../../src/numeric/symmetric-eigen.js';
import { createStudy, loadStudy } from '../../../../src/study/create-study.js';
import { optimize } from '../../../../src/study/optimize.js';
import { CmaEsSampler } from '../../../../src/study/samplers/cma-es/cma-es.js';
import { cmaStart, cmaStrategy, cmaUpdate } from '../../../../src/study/samplers/cma-es/update.js';
import { MemoryStorage } from '../../../../src/study/storage/memory-storage.js';
import type { Trial } from '../../../../src/study/trial.js';

interface Update {
  readonly n: number;
  readonly populationSize: number;
  readonly byDefault: boolean;
  readonly points: readonly (readonly (readonly number[])[])[];
  readonly mean: readonly number[];
  readonly sigma: number;
  readonly covariance: readonly number[];
}

interface Eigen {
  readonly n: number;
  readonly matrix: readonly number[];
  readonly values: readonly number[];
  readonly vectors: readonly number[];
}

/** Made by golden/make_cma_es.py from the package that Optuna uses. */
const golden: { updates: Update[]; eigen: Eigen[] } = JSON.parse(
  readFileSync(new URL('golden/cma-es.json', import.meta.url), 'utf8'),
);

const rosenbrock = (trial: Trial) => {
  const x = ['a', 'b', 'c'].map((name) => trial.suggestFloat(name, -5, 10));
  return (
    100 * (x[1]! - x[0]! ** 2) ** 2 + (1 - x[0]!) ** 2 + 100 * (x[2]! - x[1]! ** 2) ** 2 + (1 - x[1]!) ** 2
  );
};

describe('symmetricEigen', () => {
  it('factors a matrix into an orthogonal and a diagonal one', () => {
    // No subnormal numbers: they have no relative precision to keep.
    const entry = fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((x) => x / 1e7);
    const entries = fc
      .integer({ min: 1, max: 7 })
      .chain((n) => fc.array(entry, { minLength: n * n, maxLength: n * n }).map((values) => ({ n, values })));
    fc.assert(
      fc.property(entries, ({ n, values }) => {
        const at = (i: number, j: number) => values[Math.min(i, j) * n + Math.max(i, j)]!;
        const matrix = Float64Array.from({ length: n * n }, (_, k) => at(Math.floor(k / n), k % n));
        const { values: lambda, vectors } = symmetricEigen(matrix, n);
        const scale = Math.hypot(...matrix) + 1e-300;
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            let composed = 0;
            let dot = 0;
            for (let k = 0; k < n; k++) {
              composed += vectors[i * n + k]! * lambda[k]! * vectors[j * n + k]!;
              dot += vectors[k * n + i]! * vectors[k * n + j]!;
            }
            assert.ok(Math.abs(composed - matrix[i * n + j]!) <= 1e-13 * scale);
            assert.ok(Math.abs(dot - (i === j ? 1 : 0)) <= 1e-13);
          }
      }),
      { numRuns: 100 },
    );
  });

  it("gives numpy's eigenvectors, signs and all", () => {
    for (const { n, matrix, values, vectors } of golden.eigen) {
      const ours = symmetricEigen(Float64Array.from(matrix), n);
      values.forEach((value, i) =>
        assert.ok(Math.abs(ours.values[i]! - value) <= 1e-12 * Math.hypot(...values)),
      );
      vectors.forEach((x, i) =>
        assert.ok(Math.abs(ours.vectors[i]! - x) <= 1e-9, `${n}: ${ours.vectors[i]} ${x}`),
      );
    }
  });
});

describe('CmaEsSampler', () => {
  it('moves mean, step size and covariance as the package cmaes does', () => {
    for (const { n, populationSize, byDefault, points, mean, sigma, covariance } of golden.updates) {
      const strategy = cmaStrategy(n);
      if (byDefault) assert.equal(strategy.lambda, populationSize);
      let state = cmaStart(
        Array.from({ length: n }, () => 0.5),
        1 / 6,
      );
      for (const generation of points) state = cmaUpdate(cmaStrategy(n, populationSize), state, generation);
      const near = (a: number, b: number, scale = Math.abs(b)) =>
        assert.ok(Math.abs(a - b) <= 1e-9 * scale, `${a} ${b}`);
      near(state.sigma, sigma);
      mean.forEach((m, i) => near(state.mean[i]!, m, 1));
      covariance.forEach((c, i) => near(state.covariance[i]!, c, Math.max(...covariance)));
    }
  });

  it('finds the minimum of a curved valley', async () => {
    const study = await createStudy({ sampler: new CmaEsSampler({ seed: 1 }) });
    await optimize(study, rosenbrock, { trials: 900 });
    assert.ok((await study.bestValue()) < 1e-6, `${await study.bestValue()}`);
  });

  it('continues in another process as in one, from the trials alone', async () => {
    const run = async (...parts: number[]) => {
      const storage = new MemoryStorage();
      await createStudy({ storage, studyName: 's', sampler: new CmaEsSampler({ seed: 5 }) });
      for (const trials of parts) {
        const study = await loadStudy({ storage, studyName: 's', sampler: new CmaEsSampler({ seed: 5 }) });
        await optimize(study, rosenbrock, { trials });
      }
      const study = await loadStudy({ storage, studyName: 's', sampler: new CmaEsSampler() });
      return (await study.trials()).map(({ params, systemAttrs }) => ({ params, systemAttrs }));
    };
    assert.deepEqual(await run(1, 30, 3, 26), await run(60));
  });

  it('lets workers of different seeds move one distribution', async () => {
    const storage = new MemoryStorage();
    await createStudy({ storage, studyName: 's', direction: 'maximize', sampler: new CmaEsSampler() });
    const workers = await Promise.all(
      [1, 2, 3].map((seed) => loadStudy({ storage, studyName: 's', sampler: new CmaEsSampler({ seed }) })),
    );
    await Promise.all(
      workers.map((study) =>
        optimize(
          study,
          async (trial) => {
            const x = ['x', 'y'].map((name) => trial.suggestFloat(name, -1, 1));
            await new Promise(setImmediate);
            return -Math.hypot(x[0]! - 0.3, x[1]! + 0.2);
          },
          { trials: 60 },
        ),
      ),
    );
    const study = await loadStudy({ storage, studyName: 's', sampler: new CmaEsSampler() });
    const notes = (await study.trials()).flatMap(({ number, systemAttrs }) => {
      const note = systemAttrs['millrace:cma-es'] as { base: number; generation: number; told?: number[] };
      return note ? [{ number, ...note }] : [];
    });
    const made = notes.filter(({ told }) => told);
    // 180 trials in generations of 6: few are lost to a generation that had ended already
    assert.ok(Math.max(...notes.map(({ generation }) => generation)) >= 20);
    assert.ok(made.every(({ number, base }) => number === base));
    assert.ok((await study.bestValue()) > -1e-3, `${await study.bestValue()}`);
  });

  it('begins at x0, leaves categorical parameters to chance, and counts PRUNED trials when told to', async () => {
    const values = async (considerPruned: boolean) => {
      const sampler = new CmaEsSampler({ x0: { x: 8, n: 90 }, sigma0: 1e-3, seed: 2, considerPruned });
      const study = await createStudy({ sampler });
      for (let i = 0; i < 8; i++) {
        const trial = await study.ask();
        trial.suggestFloat('x', 0, 10);
        trial.suggestInt('n', 1, 100, { log: true });
        trial.suggestCategorical('kind', ['a', 'b', 'c']);
        await trial.report(trial.number, 0);
        await study.tell(trial, null, { state: 'PRUNED' });
      }
      return (await study.trials()).map(({ params }) => params);
    };
    const params = await values(true);
    for (const { x, n } of params.slice(1)) {
      assert.ok(Math.abs((x as number) - 8) < 0.1 && Math.abs((n as number) - 90) <= 2, `${x} ${n}`);
    }
    assert.ok(new Set(params.map(({ kind }) => kind)).size > 1);
    assert.ok((await values(false)).some(({ x }) => Math.abs((x as number) - 8) > 0.1));
  });

  it('refuses several objectives, and invalid options', async () => {
    const study = await createStudy({ directions: ['minimize', 'minimize'], sampler: new CmaEsSampler() });
    await assert.rejects(study.ask(), /one objective, got 2; use NSGA-II/);
    assert.throws(() => new CmaEsSampler({ sigma0: 0 }), /sigma0/);
    assert.throws(() => new CmaEsSampler({ populationSize: 1 }), /populationSize/);
    assert.throws(() => new CmaEsSampler({ seed: -1 }), /seed: expected an integer from 0/);
  });
});
