import { symmetricEigen } from '../../../numeric/symmetric-eigen.js';

/** The distribution of one generation: normal with this mean and covariance σ²C, and the two evolution paths. */
export interface CmaState {
  readonly generation: number;
  readonly mean: Float64Array;
  readonly sigma: number;
  /** C = B diag(axes²) Bᵀ; row-major. */
  readonly covariance: Float64Array;
  readonly basis: Float64Array;
  readonly axes: Float64Array;
  readonly covariancePath: Float64Array;
  readonly sigmaPath: Float64Array;
}

/** The strategy parameters of Hansen's tutorial (arXiv:1604.00772), Table 1, for dimension n and λ points a generation. */
export interface CmaStrategy {
  readonly n: number;
  readonly lambda: number;
  /** λ weights by rank: positive ones for the better half that sum to 1, negative ones for the others. */
  readonly weights: readonly number[];
  readonly muEff: number;
  readonly cSigma: number;
  readonly dSigma: number;
  readonly cC: number;
  readonly c1: number;
  readonly cMu: number;
  /** E‖N(0, I)‖ */
  readonly chi: number;
}

export function cmaStrategy(n: number, lambda = 4 + Math.floor(3 * Math.log(n))): CmaStrategy {
  const raw = Array.from({ length: lambda }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1));
  const mu = Math.floor(lambda / 2);
  const effective = (weights: readonly number[]) => sum(weights) ** 2 / sum(weights.map((w) => w * w));
  const muEff = effective(raw.slice(0, mu));
  const c1 = 2 / ((n + 1.3) ** 2 + muEff);
  const cMu = Math.min(1 - c1, (2 * (muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff));
  const shrink = Math.min(
    1 + c1 / cMu,
    1 + (2 * effective(raw.slice(mu))) / (muEff + 2),
    (1 - c1 - cMu) / (n * cMu),
  );
  const better = sum(raw.filter((w) => w >= 0));
  const negativeSum = -sum(raw.filter((w) => w < 0));
  const cSigma = (muEff + 2) / (n + muEff + 5);
  return {
    n,
    lambda,
    weights: raw.map((w) => (w >= 0 ? w / better : (shrink * w) / negativeSum)),
    muEff,
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    cC: (4 + muEff / n) / (n + 4 + (2 * muEff) / n),
    c1,
    cMu,
    chi: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  };
}

/** A sphere of standard deviation σ around the mean. */
export function cmaStart(mean: readonly number[], sigma: number): CmaState {
  const n = mean.length;
  const identity = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  return {
    generation: 0,
    mean: Float64Array.from(mean),
    sigma,
    covariance: identity,
    basis: identity,
    axes: new Float64Array(n).fill(1),
    covariancePath: new Float64Array(n),
    sigmaPath: new Float64Array(n),
  };
}

/** A draw from the generation's distribution (eqs. 38–40): m + σ B D z, with z from the standard `normal` one. */
export function cmaDraw({ mean, sigma, basis, axes }: CmaState, normal: () => number): number[] {
  const z = Float64Array.from(axes, (axis) => axis * normal());
  return Array.from(multiply(basis, z), (y, i) => mean[i]! + sigma * y);
}

/** Moves the distribution by a generation's points, best first (eqs. 41–47, with c_m = 1). */
export function cmaUpdate(s: CmaStrategy, state: CmaState, points: readonly (readonly number[])[]): CmaState {
  const { n, weights, muEff, cSigma, cC, c1, cMu } = s;
  const { mean, sigma, basis, axes, generation } = state;
  const steps = points.map((x) => Float64Array.from(x, (xi, i) => (xi - mean[i]!) / sigma));
  /** C^(−1/2) y */
  const whitened = (y: Float64Array) =>
    multiply(
      basis,
      multiplyTransposed(basis, y).map((value, i) => value / axes[i]!),
    );
  const move = new Float64Array(n);
  steps.forEach((y, k) => {
    if (weights[k]! > 0) for (let i = 0; i < n; i++) move[i]! += weights[k]! * y[i]!;
  });
  const white = whitened(move);
  const sigmaPath = state.sigmaPath.map(
    (p, i) => (1 - cSigma) * p + Math.sqrt(cSigma * (2 - cSigma) * muEff) * white[i]!,
  );
  const length = Math.hypot(...sigmaPath);
  // Optuna counts one generation more than Hansen: a path of one step is held for less surprising than his is.
  const stalled =
    length / Math.sqrt(1 - (1 - cSigma) ** (2 * (generation + 2))) >= (1.4 + 2 / (n + 1)) * s.chi;
  const covariancePath = state.covariancePath.map(
    (p, i) => (1 - cC) * p + (stalled ? 0 : Math.sqrt(cC * (2 - cC) * muEff) * move[i]!),
  );
  const scaled = weights.map((w, k) => (w >= 0 ? w : (w * n) / (squared(whitened(steps[k]!)) + 1e-8)));
  const keep = 1 + (stalled ? c1 * cC * (2 - cC) : 0) - c1 - cMu * sum(weights);
  const covariance = state.covariance.map((value, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let rankMu = 0;
    for (let k = 0; k < steps.length; k++) rankMu += scaled[k]! * (steps[k]![i]! * steps[k]![j]!);
    return keep * value + c1 * (covariancePath[i]! * covariancePath[j]!) + cMu * rankMu;
  });
  const { values, vectors } = symmetricEigen(covariance, n);
  // Negative weights can make one negative, which would end all motion along its axis.
  const floored = values.map((value) => (value > 0 ? value : 1e-8));
  return {
    generation: generation + 1,
    mean: mean.map((m, i) => m + sigma * move[i]!),
    sigma: Math.min(1e32, sigma * Math.exp((cSigma / s.dSigma) * (length / s.chi - 1))),
    covariance: values.every((value, i) => value === floored[i]) ? covariance : composed(vectors, floored),
    basis: vectors,
    axes: floored.map(Math.sqrt),
    covariancePath,
    sigmaPath,
  };
}

function composed(basis: Float64Array, values: Float64Array): Float64Array {
  const n = values.length;
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return sum(Array.from(values, (value, k) => value * (basis[i * n + k]! * basis[j * n + k]!)));
  });
}

function multiply(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  return x.map((_, i) => {
    let total = 0;
    for (let j = 0; j < n; j++) total += matrix[i * n + j]! * x[j]!;
    return total;
  });
}

function multiplyTransposed(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length;
  return x.map((_, j) => {
    let total = 0;
    for (let i = 0; i < n; i++) total += matrix[i * n + j]! * x[i]!;
    return total;
  });
}

function squared(x: Float64Array): number {
  return x.reduce((total, value) => total + value * value, 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
