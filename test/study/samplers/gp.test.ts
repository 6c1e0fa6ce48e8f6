import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cholesky, inverseOf, solveLower, solveUpper } from '../../../src/numeric/cholesky.js';
import { minimize } from '../../../src/numeric/minimize.js';
import { randomStream } from '../../../src/random.js';
import { createStudy } from '../../../src/study/create-study.js';
import { GpSampler } from '../../../src/study/samplers/gp.js';
import { logExpectedImprovement } from '../../../src/study/samplers/gp-acquisition.js';
import { fitGp, gaussianProcess, penalizedLoss } from '../../../src/study/samplers/gp-regression.js';
import type { Trial } from '../../../src/study/trial.js';

const near = (a: number, b: number, tolerance: number) =>
  assert.ok(Math.abs(a - b) <= tolerance, `expected ${b} within ${tolerance}, got ${a}`);

describe('cholesky', () => {
  it('factors, solves and inverts positive definite matrices', () => {
    const sizes = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(sizes, fc.nat(1e6), (n, seed) => {
        const random = randomStream(seed, 'cholesky test');
        const b = Float64Array.from({ length: n * n }, () => random() - 0.5);
        const a = new Float64Array(n * n);
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++) {
            for (let k = 0; k < n; k++) a[i * n + j]! += b[i * n + k]! * b[j * n + k]!;
            if (i === j) a[i * n + j]! += 0.1;
          }
        const l = cholesky(a, n)!;
        const x = Float64Array.from({ length: n }, random);
        const y = x.map((_, i) => x.reduce((sum, v, j) => sum + a[i * n + j]! * v, 0));
        solveUpper(l, solveLower(l, y)).forEach((v, i) => near(v, x[i]!, 1e-10));
        const inverse = inverseOf(l, n);
        y.forEach((_, i) =>
          near(
            y.reduce((sum, v, j) => sum + inverse[i * n + j]! * v, 0),
            x[i]!,
            1e-10,
          ),
        );
      }),
    );
  });

  it('refuses what is not positive definite', () => {
    assert.equal(cholesky(Float64Array.from([1, 2, 2, 1]), 2), undefined);
  });
});

describe('minimize', () => {
  it('follows a curved valley to its bottom', () => {
    const end = minimize(
      ([x, y]) => ({
        value: 100 * (y! - x! ** 2) ** 2 + (1 - x!) ** 2,
        gradient: Float64Array.from([-400 * x! * (y! - x! ** 2) - 2 * (1 - x!), 200 * (y! - x! ** 2)]),
      }),
      Float64Array.from([-1.2, 1]),
      { iterations: 200 },
    );
    end.forEach((x) => near(x, 1, 1e-5));
  });
});

describe('Gaussian process', () => {
  const random = randomStream(1, 'gp test');
  const points = Array.from({ length: 25 }, () => [random(), random(), Math.floor(3 * random())]);
  const f = ([x, , c]: readonly number[]) => Math.sin(6 * x!) + c! - 1;
  const values = Float64Array.from(points, f);
  const choices = [false, false, true];

  it('has the gradient of its likelihood', () => {
    for (const at of [
      [-1, 0.5, 0.2, -3],
      [0.3, 2, -0.5, -6],
    ]) {
      const x = Float64Array.from(at);
      const { gradient } = penalizedLoss(points, values, choices, x, 1);
      const h = 1e-6;
      gradient.forEach((g, i) => {
        const moved = (by: number) =>
          penalizedLoss(
            points,
            values,
            choices,
            x.map((v, j) => (i === j ? v + by : v)),
            1,
          ).value;
        near((moved(h) - moved(-h)) / (2 * h), g, 1e-5 * Math.max(1, Math.abs(g)));
      });
    }
  });

  it('learns the function, which axes matter, and where it knows nothing', () => {
    const settings = fitGp(points, values, choices);
    assert.ok(settings.lengths[1]! > settings.lengths[0]! + 1, `${settings.lengths}`);
    const process = gaussianProcess(points, values, choices, settings);
    for (let i = 0; i < 20; i++) {
      const point = [random(), random(), Math.floor(3 * random())];
      near(process.predict(point).mean, f(point), 0.25);
    }
    const at = process.predict(points[0]!).deviation;
    assert.ok(process.predict([points[0]![0]! + 3, 0, 0]).deviation > 5 * at);
  });
});

describe('log expected improvement', () => {
  it('is that of the integral, and does not break far away', () => {
    for (const [mean, deviation, best] of [
      [0, 1, 0.5],
      [2, 0.5, 0],
      [5, 1, 0],
      [0, 2, 3],
    ] as const) {
      let sum = 0;
      const step = deviation / 2000;
      for (let t = mean - 12 * deviation; t < best; t += step)
        sum +=
          Math.max(0, best - t - step / 2) * step * Math.exp(-(((t + step / 2 - mean) / deviation) ** 2) / 2);
      near(
        logExpectedImprovement(mean, deviation, best),
        Math.log(sum / deviation / Math.sqrt(2 * Math.PI)),
        2e-3,
      );
    }
    const far = [6.5, 8, 20, 60].map((mean) => logExpectedImprovement(mean, 1, 0));
    assert.ok(far.every(Number.isFinite));
    assert.deepEqual(
      far.toSorted((a, b) => b - a),
      far,
    );
    near(logExpectedImprovement(5.9999, 1, 0), logExpectedImprovement(6.0001, 1, 0), 2e-3);
  });
});

describe('GpSampler', () => {
  const branin = (trial: Trial) => {
    const x = trial.suggestFloat('x', -5, 10);
    const y = trial.suggestFloat('y', 0, 15);
    const a = y - (5.1 / (4 * Math.PI ** 2)) * x ** 2 + (5 / Math.PI) * x - 6;
    return a ** 2 + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) + 10;
  };

  it('finds a minimum of Branin within 40 trials, the same one again with the same seed', async () => {
    const run = async (trials: number) => {
      const study = await createStudy({ sampler: new GpSampler({ seed: 1 }) });
      await study.optimize(branin, { trials });
      return study;
    };
    const study = await run(40);
    assert.ok((await study.bestValue()) < 0.3979 + 0.01, `${await study.bestValue()}`);
    const [again, first] = [await (await run(13)).trials(), await study.trials()];
    again.forEach(({ params }, i) => assert.deepEqual(params, first[i]!.params));
  });

  it('handles every kind of parameter, infinite values and workers', async () => {
    const study = await createStudy({ direction: 'maximize', sampler: new GpSampler({ seed: 2 }) });
    await study.optimize(
      async (trial) => {
        const kind = trial.suggestCategorical('kind', ['a', 'b', 'c']);
        const rate = trial.suggestFloat('rate', 1e-5, 1, { log: true });
        const n = trial.suggestInt('n', 1, 64, { log: true });
        const step = trial.suggestFloat('step', 0, 1, { step: 0.25 });
        await new Promise(setImmediate);
        if (trial.number === 4) return Number.NEGATIVE_INFINITY;
        return (
          (kind === 'b' ? 1 : 0) -
          (Math.log10(rate) + 2) ** 2 -
          Math.abs(Math.log2(n / 8)) -
          (step - 0.5) ** 2
        );
      },
      { trials: 40, concurrency: 3 },
    );
    const { kind, rate, n, step } = await study.bestParams();
    assert.equal(kind, 'b');
    assert.equal(step, 0.5);
    assert.ok(
      Math.abs(Math.log10(rate as number) + 2) < 0.3 && Math.abs((n as number) - 8) <= 2,
      `${rate} ${n}`,
    );
    const late = (await study.trials()).slice(10).map(({ params }) => JSON.stringify(params));
    assert.equal(new Set(late).size, late.length);
  });

  it('refuses several objectives', async () => {
    const study = await createStudy({ directions: ['minimize', 'minimize'], sampler: new GpSampler() });
    await assert.rejects(study.ask(), /GP: expected one objective, got 2; use TPE or NSGA-II/);
    assert.throws(() => new GpSampler({ startupTrials: 1 }), /startupTrials: expected 2 or more, got 1/);
  });
});
