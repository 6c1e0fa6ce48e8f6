import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cholesky, inverseOf, solveLower, solveUpper } from '../../../../src/numeric/cholesky.js';
import { minimize } from '../../../../src/numeric/minimize.js';
import { randomStream } from '../../../../src/random/random-stream.js';
import { createStudy } from '../../../../src/study/create-study.js';
import {
  type GpAxis,
  logExpectedImprovement,
  mostPromising,
} from '../../../../src/study/samplers/gp/acquisition.js';
import { GpSampler } from '../../../../src/study/samplers/gp/gp.js';
import { fitGp, gaussianProcess, penalizedLoss } from '../../../../src/study/samplers/gp/regression.js';
import type { Trial } from '../../../../src/study/trial.js';

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

  it('stops at the bounds of a box', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.nat(1e6), (n, seed) => {
        const random = randomStream(seed, 'box test');
        const b = Float64Array.from({ length: n * n }, () => 2 * random() - 1);
        const bottom = Float64Array.from({ length: n }, () => 3 * random() - 1);
        // |B(x − bottom)|² / 2 + |x − bottom|² / 20
        const f = (x: Float64Array) => {
          const d = x.map((v, i) => v - bottom[i]!);
          const bd = d.map((_, i) => d.reduce((sum, v, j) => sum + b[i * n + j]! * v, 0));
          const gradient = d.map((v, j) => 0.1 * v + bd.reduce((sum, u, i) => sum + b[i * n + j]! * u, 0));
          return { value: d.reduce((sum, v, i) => sum + bd[i]! ** 2 / 2 + v ** 2 / 20, 0), gradient };
        };
        const box = { low: new Float64Array(n), high: new Float64Array(n).fill(1) };
        const start = Float64Array.from({ length: n }, () => Math.round(random()));
        const end = minimize(f, start, { iterations: 200, tolerance: 1e-6, box });
        f(end).gradient.forEach((g, i) => {
          assert.ok(end[i]! >= 0 && end[i]! <= 1, `${end}`);
          if (!(end[i] === 0 && g > 0) && !(end[i] === 1 && g < 0)) near(g, 0, 1e-4);
        });
      }),
    );
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
      [-1, 0.5, 0.2, 0.4, -3],
      [0.3, 2, -0.5, -1, -14],
    ]) {
      const x = Float64Array.from(at);
      const { gradient } = penalizedLoss(points, values, choices, x);
      const h = 1e-6;
      gradient.forEach((g, i) => {
        const moved = (by: number) =>
          penalizedLoss(
            points,
            values,
            choices,
            x.map((v, j) => (i === j ? v + by : v)),
          ).value;
        near((moved(h) - moved(-h)) / (2 * h), g, 1e-5 * Math.max(1, Math.abs(g)));
      });
    }
  });

  it('has the slopes of its mean and deviation', () => {
    const process = gaussianProcess(points, values, choices, fitGp(points, values, choices));
    const point = [0.4, 0.7, 1];
    const { byMean, byDeviation } = process.slopes(point);
    const h = 1e-5;
    for (const a of [0, 1]) {
      const [up, down] = [h, -h].map((by) => process.predict(point.with(a, point[a]! + by)));
      near((up!.mean - down!.mean) / (2 * h), byMean[a]!, 1e-5);
      near((up!.deviation - down!.deviation) / (2 * h), byDeviation[a]!, 1e-5);
    }
    assert.deepEqual([byMean[2], byDeviation[2]], [0, 0]);
  });

  it('distinguishes exact values from noisy ones', () => {
    const noise = (of: Float64Array) => Math.exp(fitGp(points, of, choices).noise);
    assert.ok(noise(values) < 1e-4, `${noise(values)}`);
    const chance = randomStream(3, 'gp noise test');
    const variance = noise(values.map((v) => v + 0.6 * Math.sqrt(3) * (2 * chance() - 1)));
    assert.ok(variance > 0.05 && variance < 0.8, `${variance}`);
  });

  it('recovers from a bad start of the fit', () => {
    const bad = { lengths: [8, 8, 8], scale: -4, noise: 1 };
    const loss = ({ lengths, scale, noise }: typeof bad | ReturnType<typeof fitGp>) =>
      penalizedLoss(points, values, choices, Float64Array.from([...lengths, scale, noise])).value;
    assert.ok(loss(fitGp(points, values, choices, bad)) <= loss(fitGp(points, values, choices)) + 1e-9);
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
  it('equals the integral, and stays finite far away', () => {
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
        logExpectedImprovement({ mean, deviation }, best),
        Math.log(sum / deviation / Math.sqrt(2 * Math.PI)),
        2e-3,
      );
    }
    const at = (mean: number) => logExpectedImprovement({ mean, deviation: 1 }, 0);
    const far = [6.5, 8, 20, 24.9, 25.1, 60].map(at);
    assert.ok(far.every(Number.isFinite));
    assert.deepEqual(
      far.toSorted((a, b) => b - a),
      far,
    );
    near(at(24.99999) - at(25.00001), 5.016e-4, 1e-8);
  });
});

describe('the most promising point', () => {
  const real: GpAxis = { choice: false, points: Number.POSITIVE_INFINITY };
  const spread = (axes: readonly GpAxis[], n: number, name: string) => {
    const random = randomStream(5, name);
    return Array.from({ length: n }, () =>
      axes.map(({ choice, points }) => {
        if (choice) return Math.floor(random() * points);
        return Number.isFinite(points) ? (Math.floor(random() * points) + 0.5) / points : random();
      }),
    );
  };
  const search = (axes: readonly GpAxis[], f: (point: readonly number[]) => number, candidates: number) => {
    const points = spread(axes, 12, 'observed');
    const values = Float64Array.from(points, f);
    const choices = axes.map(({ choice }) => choice);
    const process = gaussianProcess(points, values, choices, fitGp(points, values, choices));
    const best = Math.min(...values);
    const score = (point: readonly number[]) => logExpectedImprovement(process.predict(point), best);
    const top = points[values.indexOf(best)]!;
    const random = randomStream(6, 'search');
    const point = mostPromising(process, best, axes, spread(axes, candidates, 'tried'), [top], random);
    return { point, score };
  };

  it('is a maximum to far below the distance of candidates, inside and at a bound', () => {
    for (const bottom of [
      [0.3, 0.6],
      [-0.2, 0.6],
    ]) {
      const { point, score } = search(
        [real, real],
        ([x, y]) => (x! - bottom[0]!) ** 2 + (y! - bottom[1]!) ** 2,
        32,
      );
      for (let i = 0; i <= 60; i++)
        for (let j = 0; j <= 60; j++)
          assert.ok(score(point) >= score([i / 60, j / 60]), `${point} ${i} ${j}`);
    }
  });

  it('is the best of all points of grids and choices', () => {
    const axes = [
      { choice: false, points: 100 },
      { choice: false, points: 5 },
      { choice: true, points: 3 },
    ];
    const f = ([x, y, c]: readonly number[]) => (x! - 0.37) ** 2 + (y! - 0.5) ** 2 + 0.3 * Math.abs(c! - 1);
    const { point, score } = search(axes, f, 4);
    for (let i = 0; i < 100; i++)
      for (let j = 0; j < 5; j++)
        for (let c = 0; c < 3; c++)
          assert.ok(
            score(point) >= score([(i + 0.5) / 100, (j + 0.5) / 5, c]) - 1e-9,
            `${point} ${i} ${j} ${c}`,
          );
  });

  it('finds the best point of a fine grid', () => {
    const axes = [{ choice: false, points: 5000 }];
    const { point, score } = search(axes, ([x]) => (x! - 0.37) ** 2, 1);
    for (let i = 0; i < 5000; i++)
      assert.ok(score(point) >= score([(i + 0.5) / 5000]) - 1e-9, `${point} ${i}`);
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
    assert.ok((await study.bestValue()) < 0.3979 + 0.001, `${await study.bestValue()}`);
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
