import { cholesky, inverseOf, solveLower, solveUpper } from '../../numeric/cholesky.js';
import { minimize } from '../../numeric/minimize.js';

/** Coordinates in [0, 1]; of a choice, its index. */
export type GpPoint = readonly number[];

/** What a process over points of some space is: one length scale an axis, and the noise of a value. */
export interface GpSettings {
  /** Logarithms. */
  readonly lengths: readonly number[];
  /** The logarithm of the noise's variance. */
  readonly noise: number;
}

export interface GaussianProcess {
  readonly settings: GpSettings;
  /** Mean and standard deviation of the function, without noise, at a point. */
  predict(point: GpPoint): { readonly mean: number; readonly deviation: number };
}

const ROOT5 = Math.sqrt(5);
const LEAST_NOISE = Math.log(1e-6);

/**
 * A Gaussian process with mean 0 and variance 1 through standardised values (Rasmussen & Williams 2006, algorithm
 * 2.1), with the Matérn kernel of 5/2, k = (1 + √5 r + 5/3 r²) e^(−√5 r), where r² sums ((x − x′)/ℓ)² over the numeric
 * axes, and 1/ℓ² for each choice that differs.
 */
export function gaussianProcess(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  settings: GpSettings,
): GaussianProcess {
  const n = points.length;
  const weights = settings.lengths.map((length) => Math.exp(-2 * length));
  const kernel = (a: GpPoint, b: GpPoint) => matern(squaredDistance(a, b, choices, weights));
  const matrix = new Float64Array(n * n);
  points.forEach((a, i) => {
    for (let j = 0; j <= i; j++) matrix[i * n + j] = matrix[j * n + i] = kernel(a, points[j]!);
    matrix[i * n + i]! += Math.exp(settings.noise) + 1e-9;
  });
  const l = cholesky(matrix, n);
  if (!l) throw new Error('a kernel matrix with noise on its diagonal is positive definite');
  const alpha = solveUpper(l, solveLower(l, values));
  return {
    settings,
    predict: (point) => {
      const k = Float64Array.from(points, (other) => kernel(point, other));
      const explained = solveLower(l, k).reduce((sum, v) => sum + v * v, 0);
      return {
        mean: k.reduce((sum, v, i) => sum + v * alpha[i]!, 0),
        deviation: Math.sqrt(Math.max(1e-12, 1 - explained)),
      };
    },
  };
}

/**
 * The settings that are most likely given the values: the maximum of the marginal likelihood times priors, from
 * `start` and from the priors' own modes. Length scales are log-normal with μ = √2 + log √dimensions and σ = √3
 * (Hvarfner, Hellsten & Nardi 2024, "Vanilla Bayesian optimization performs great in high dimensions"), the noise's
 * variance with μ = −4 and σ = 1.
 */
export function fitGp(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  start?: GpSettings,
): GpSettings {
  const dimensions = choices.length;
  const center = Math.SQRT2 + Math.log(dimensions) / 2;
  const objective = (x: Float64Array) => penalizedLoss(points, values, choices, x, center);
  const starts = [Float64Array.from([...choices.map(() => center - 3), -5])];
  if (start) starts.unshift(Float64Array.from([...start.lengths, start.noise]));
  const ends = starts.map((from) => minimize(objective, from, { iterations: 30, tolerance: 1e-3 }));
  const best = ends.reduce((a, b) => (objective(b).value < objective(a).value ? b : a));
  return { lengths: [...best.subarray(0, dimensions)], noise: best[dimensions]! };
}

/** Minus the log of likelihood times priors, and its gradient (Rasmussen & Williams, eqs. 5.8 and 5.9). */
export function penalizedLoss(
  points: readonly GpPoint[],
  values: Float64Array,
  choices: readonly boolean[],
  x: Float64Array,
  center: number,
): { value: number; gradient: Float64Array } {
  const n = points.length;
  const d = choices.length;
  const gradient = new Float64Array(d + 1);
  const wall = { value: Number.POSITIVE_INFINITY, gradient };
  if (x.some((v) => Math.abs(v) > 20) || x[d]! < LEAST_NOISE) return wall;
  const weights = Array.from(x.subarray(0, d), (length) => Math.exp(-2 * length));
  const noise = Math.exp(x[d]!);
  const matrix = new Float64Array(n * n);
  const slopes = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const square = squaredDistance(points[i]!, points[j]!, choices, weights);
      const r = Math.sqrt(square);
      const decay = Math.exp(-ROOT5 * r);
      matrix[i * n + j] = matrix[j * n + i] =
        (1 + ROOT5 * r + (5 / 3) * square) * decay + (i === j ? noise + 1e-9 : 0);
      // dk / d(r²)
      slopes[i * n + j] = (-5 / 6) * (1 + ROOT5 * r) * decay;
    }
  const l = cholesky(matrix, n);
  if (!l) return wall;
  const alpha = solveUpper(l, solveLower(l, values));
  const inverse = inverseOf(l, n);
  let value = (n / 2) * Math.log(2 * Math.PI);
  for (let i = 0; i < n; i++) value += (values[i]! * alpha[i]!) / 2 + Math.log(l[i * n + i]!);
  for (let i = 0; i < n; i++) {
    gradient[d]! += ((inverse[i * n + i]! - alpha[i]! ** 2) * noise) / 2;
    for (let j = 0; j < i; j++) {
      // Both triangles: twice a half.
      const outer = (inverse[i * n + j]! - alpha[i]! * alpha[j]!) * slopes[i * n + j]!;
      for (let a = 0; a < d; a++) {
        const part = difference(points[i]![a]!, points[j]![a]!, choices[a]!) * weights[a]!;
        gradient[a]! += outer * -2 * part;
      }
    }
  }
  for (let a = 0; a < d; a++) {
    value += (x[a]! - center) ** 2 / 6 + x[a]!;
    gradient[a]! += (x[a]! - center) / 3 + 1;
  }
  value += (x[d]! + 4) ** 2 / 2 + x[d]!;
  gradient[d]! += x[d]! + 4 + 1;
  return { value, gradient };
}

function matern(square: number): number {
  const r = Math.sqrt(square);
  return (1 + ROOT5 * r + (5 / 3) * square) * Math.exp(-ROOT5 * r);
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
