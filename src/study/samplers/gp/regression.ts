import { cholesky, inverseOf, solveLower, solveUpper } from '../../../numeric/cholesky.js';
import { dot } from '../../../numeric/dot.js';
import { minimize } from '../../../numeric/minimize.js';

/** Coordinates in [0, 1]; of a choice, its index. */
export type GpPoint = readonly number[];

/** The hyperparameters of a Gaussian process, all in logarithms. */
export interface GpSettings {
  /** One length scale per axis. */
  readonly lengths: readonly number[];
  /** The variance of the function. */
  readonly scale: number;
  /** The variance of the noise beyond the minimum. */
  readonly noise: number;
}

export interface GaussianProcess {
  readonly settings: GpSettings;
  /** Mean and standard deviation of the function, without noise, at a point. */
  predict(point: GpPoint): Prediction;
  /** The same, and how both change along each axis; along choices not at all. */
  slopes(point: GpPoint): Prediction & { readonly byMean: Float64Array; readonly byDeviation: Float64Array };
}

export interface Prediction {
  readonly mean: number;
  readonly deviation: number;
}

const ROOT5 = Math.sqrt(5);

/** The least variance of noise, as in Optuna: enough for the kernel's matrix to be factored. */
const LEAST_NOISE = 1e-6;

/**
 * A Gaussian process with mean 0 through standardised values (Rasmussen & Williams 2006, algorithm 2.1), with the
 * Matérn kernel of 5/2, k = s (1 + √5 r + 5/3 r²) e^(−√5 r), where r² sums ((x − x′)/ℓ)² over the numeric axes, and
 * 1/ℓ² for each choice that differs.
 */
export function gaussianProcess(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  settings: GpSettings,
): GaussianProcess {
  const n = points.length;
  const weights = settings.lengths.map((length) => Math.exp(-2 * length));
  const scale = Math.exp(settings.scale);
  const kernel = (a: GpPoint, b: GpPoint) => scale * matern(squaredDistance(a, b, choices, weights));
  const matrix = new Float64Array(n * n);
  points.forEach((a, i) => {
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = kernel(a, points[j]!);
    matrix[i * n + i]! += Math.exp(settings.noise) + LEAST_NOISE;
  });
  const l = cholesky(matrix, n);
  if (!l) throw new Error('a kernel matrix with noise on its diagonal is positive definite');
  const alpha = solveUpper(l, solveLower(l, values));
  const at = (point: GpPoint) => {
    const k = Float64Array.from(points, (other) => kernel(point, other));
    const half = solveLower(l, k);
    const deviation = Math.sqrt(Math.max(1e-12, scale - dot(half, half)));
    return { half, mean: dot(k, alpha), deviation };
  };
  return {
    settings,
    predict: at,
    slopes: (point) => {
      const { half, mean, deviation } = at(point);
      const solved = solveUpper(l, half);
      const [byMean, byDeviation] = [new Float64Array(choices.length), new Float64Array(choices.length)];
      points.forEach((other, i) => {
        const slope = scale * maternSlope(squaredDistance(point, other, choices, weights));
        choices.forEach((choice, a) => {
          if (choice) return;
          const change = 2 * slope * weights[a]! * (point[a]! - other[a]!);
          byMean[a]! += change * alpha[i]!;
          byDeviation[a]! -= (change * solved[i]!) / deviation;
        });
      });
      return { mean, deviation, byMean, byDeviation };
    },
  };
}

/**
 * The settings that are most likely given the values: the maximum of the marginal likelihood times priors, from
 * `start` and from where all are 1, the better of both. The priors are those of Optuna's GPSampler (4.9), chosen there
 * by experience: of density e^(−0.1 (w + 1/w)) in w = 1/ℓ², a gamma distribution of shape 2 and rate 1 for the
 * function's variance, and one of shape 1.1 and rate 30 for the noise's, which allows for none at all.
 */
export function fitGp(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  start?: GpSettings,
): GpSettings {
  const dimensions = choices.length;
  const objective = (x: Float64Array) => penalizedLoss(points, values, choices, x);
  const starts = [new Float64Array(dimensions + 2)];
  if (start) starts.unshift(Float64Array.from([...start.lengths, start.scale, start.noise]));
  const ends = starts.map((from) => minimize(objective, from, { iterations: 50, tolerance: 1e-2 }));
  const best = ends.reduce((a, b) => (objective(b).value < objective(a).value ? b : a));
  return {
    lengths: [...best.subarray(0, dimensions)],
    scale: best[dimensions]!,
    noise: best[dimensions + 1]!,
  };
}

/** Minus the log of likelihood times priors, and its gradient (Rasmussen & Williams, eqs. 5.8 and 5.9). */
export function penalizedLoss(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  x: Float64Array,
): { value: number; gradient: Float64Array } {
  const n = points.length;
  const d = choices.length;
  const gradient = new Float64Array(d + 2);
  const wall = { value: Number.POSITIVE_INFINITY, gradient };
  if (x.some((v) => Math.abs(v) > 30)) return wall;
  const weights = Array.from(x.subarray(0, d), (length) => Math.exp(-2 * length));
  const scale = Math.exp(x[d]!);
  const noise = Math.exp(x[d + 1]!) + LEAST_NOISE;
  const matrix = new Float64Array(n * n);
  const slopes = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const square = squaredDistance(points[i]!, points[j]!, choices, weights);
      matrix[i * n + j] = matrix[j * n + i] = scale * matern(square) + (i === j ? noise : 0);
      slopes[i * n + j] = scale * maternSlope(square);
    }
  const l = cholesky(matrix, n);
  if (!l) return wall;
  const alpha = solveUpper(l, solveLower(l, values));
  const inverse = inverseOf(l, n);
  let value = (n / 2) * Math.log(2 * Math.PI) + dot(values, alpha) / 2;
  let byNoise = 0;
  for (let i = 0; i < n; i++) {
    value += Math.log(l[i * n + i]!);
    byNoise += (inverse[i * n + i]! - alpha[i]! ** 2) / 2;
    for (let j = 0; j < i; j++) {
      // Both triangles: twice a half.
      const outer = (inverse[i * n + j]! - alpha[i]! * alpha[j]!) * slopes[i * n + j]!;
      for (let a = 0; a < d; a++) {
        const part = difference(points[i]![a]!, points[j]![a]!, choices[a]!) * weights[a]!;
        gradient[a]! += outer * -2 * part;
      }
    }
  }
  // The scale and the noise make up all of the matrix K: tr(K⁻¹K) = n and αᵀKα = αᵀy.
  gradient[d] = (n - dot(values, alpha)) / 2 - byNoise * noise;
  gradient[d + 1] = byNoise;
  for (let a = 0; a < d; a++) {
    value += 0.1 * (weights[a]! + 1 / weights[a]!);
    gradient[a]! += 0.2 * (1 / weights[a]! - weights[a]!);
  }
  value += scale - x[d]! + 30 * noise - 0.1 * Math.log(noise);
  gradient[d]! += scale - 1;
  gradient[d + 1]! += 30 - 0.1 / noise;
  gradient[d + 1]! *= noise - LEAST_NOISE;
  return { value, gradient };
}

function matern(square: number): number {
  const r = Math.sqrt(square);
  return (1 + ROOT5 * r + (5 / 3) * square) * Math.exp(-ROOT5 * r);
}

/** dk / d(r²) of the kernel with variance 1. */
function maternSlope(square: number): number {
  const r = Math.sqrt(square);
  return (-5 / 6) * (1 + ROOT5 * r) * Math.exp(-ROOT5 * r);
}

function squaredDistance(
  a: GpPoint,
  b: GpPoint,
  choices: readonly boolean[],
  weights: readonly number[],
): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += difference(a[i]!, b[i]!, choices[i]!) * weights[i]!;
  return sum;
}

function difference(a: number, b: number, choice: boolean): number {
  return choice ? Number(a !== b) : (a - b) ** 2;
}
