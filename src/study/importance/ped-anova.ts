import { erfc } from '../../numeric/erf.js';
import type { CategoricalDistribution, Distribution, SearchSpace } from '../trials/distribution.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';

export interface PedAnovaOptions {
  /** The share of best trials that the importances are about: γ' of the paper. Default 0.1. */
  readonly targetQuantile?: number;
  /** The share of the trials to which these are compared: γ of the paper. Default 1, all. */
  readonly regionQuantile?: number;
  /**
   * Compare with the distribution of the region's trials (default), or with the space itself: then a parameter counts
   * as important if the sampler has narrowed it down.
   */
  readonly local?: boolean;
}

/** Points of the grid that numeric parameters are counted on. */
const GRID = 50;

/**
 * Importances by PED-ANOVA (Watanabe, Bansal & Hutter 2023, "PED-ANOVA: efficiently quantifying hyperparameter
 * importance in arbitrary subspaces", arXiv:2304.10255): how far the density of the best trials along a parameter is
 * from that of all, as Pearson's divergence, times (γ'/γ)². Linear in the number of trials.
 *
 * Densities are Parzen estimates over counts on a grid, with one bandwidth by Scott's rule and a flat prior of the
 * weight of one trial. Equals Optuna's PedAnovaImportanceEvaluator (4.9) of the same trials to within rounding.
 */
export function pedAnova(
  trials: readonly FrozenTrial[],
  losses: readonly number[],
  space: SearchSpace,
  { targetQuantile = 0.1, regionQuantile = 1, local = true }: PedAnovaOptions = {},
): number[] {
  if (trials.length <= 2) return [...space].map(() => 0);
  const target = best(trials, losses, targetQuantile);
  const region = regionQuantile === 1 ? trials : best(trials, losses, regionQuantile);
  const quantile = target.length / region.length;
  return [...space].map(([name, distribution]) => {
    const densityOf = (some: readonly FrozenTrial[]) =>
      density(
        distribution,
        some.map(({ internalParams }) => internalParams[name]!),
      ).map((p) => p + 1e-12);
    const top = densityOf(target);
    const base = local ? densityOf(region) : top.map(() => 1 / top.length);
    return quantile ** 2 * base.reduce((sum, p, i) => sum + p * (top[i]! / p - 1) ** 2, 0);
  });
}

/** The trials up to the quantile of the losses, ties included; two at least. */
function best(trials: readonly FrozenTrial[], losses: readonly number[], quantile: number): FrozenTrial[] {
  const sorted = [...losses].sort((a, b) => a - b);
  const limit = Math.max(sorted[1]!, sorted[Math.ceil(quantile * losses.length) - 1]!);
  return trials.filter((_, i) => losses[i]! <= limit);
}

/** Probabilities of the choices, or of the points of the grid. */
function density(distribution: Distribution, values: readonly number[]): number[] {
  return distribution.name === 'CategoricalDistribution'
    ? categorical(distribution, values)
    : numeric(countOnGrid(distribution, values));
}

/** A kernel for each choice that was taken, and a flat one; the flat share within each is one in their number. */
function categorical({ choices }: CategoricalDistribution, values: readonly number[]): number[] {
  const counts = choices.map(() => 0);
  for (const value of values) counts[value]!++;
  const kernels = counts.filter((count) => count > 0).length + 1;
  const flat = 1 / kernels;
  const rest = values.reduce((sum) => sum + flat / (1 + choices.length * flat), 0);
  const prior = 1 / choices.length;
  return counts.map((count) => (rest + count / (1 + choices.length * flat) + prior) / (values.length + 1));
}

/** How often each point of the grid was the nearest one; log-scaled integers have one point for each doubling, about. */
function countOnGrid(
  { name, low, high, step, log }: Exclude<Distribution, CategoricalDistribution>,
  values: readonly number[],
): number[] {
  let size = GRID;
  if (name === 'IntDistribution' && log)
    size = Math.min(size, Math.ceil(Math.log(high - low + 1) / Math.log(2)) + 1);
  else if (step !== null) size = Math.min(size, Math.round((high - low) / step) + 1);
  const scale = log ? Math.log : (x: number) => x;
  const [from, to] = [scale(low), scale(high)];
  const width = (to - from) / (size - 1);
  const grid = Array.from({ length: size }, (_, i) => (i === size - 1 ? to : i * width + from));
  const counts = grid.map(() => 0);
  for (const value of values) {
    const edge = scale(value) - (grid[1]! - grid[0]!) / 2;
    const at = grid.findIndex((point) => point >= edge);
    counts[at < 0 ? size - 1 : at]!++;
  }
  return counts;
}

/** Normal kernels at the points that have counts, cut off half a step outside the grid, and a wide one in the middle. */
function numeric(counts: readonly number[]): number[] {
  const n = counts.reduce((a, b) => a + b, 0);
  const deviation = Math.max(bandwidth(counts, n), 0.5 / 1.64);
  const kernels = counts.flatMap((count, mu) => (count > 0 ? [{ mu, sigma: deviation, weight: count }] : []));
  kernels.push({ mu: (counts.length - 1) / 2, sigma: counts.length, weight: 1 });
  return counts.map((_, x) =>
    kernels.reduce((sum, { mu, sigma, weight }) => {
      const mass = (from: number, to: number) => between((from - mu) / sigma, (to - mu) / sigma);
      return sum + ((weight / (n + 1)) * mass(x - 0.5, x + 0.5)) / mass(-0.5, counts.length - 0.5);
    }, 0),
  );
}

/** Scott's rule (1992): 1.059 n^(−1/5) times the lesser of the standard deviation and the interquartile range / 1.34. */
function bandwidth(counts: readonly number[], n: number): number {
  const points = counts.flatMap((count, mu) => (count > 0 ? [{ mu, count }] : []));
  const mean = points.reduce((sum, { mu, count }) => sum + (mu * count) / n, 0);
  const spread = points.reduce((sum, { mu, count }) => sum + count * (mu - mean) ** 2, 0);
  let total = 0;
  const cumulative = points.map(({ count }) => (total += count));
  const lower = cumulative.findIndex((c) => c >= Math.floor(n / 4));
  const upper = cumulative.findIndex((c) => c > Math.floor((n * 3) / 4));
  const range = (upper < 0 ? points.at(-1)! : points[upper]!).mu - points[lower]!.mu;
  return 1.059 * Math.min(range / 1.34, Math.sqrt(spread / Math.max(1, n - 1))) * n ** -0.2;
}

/** The standard normal's mass between a < b, taken in the lower tail where it loses least. */
function between(a: number, b: number): number {
  return a > 0 ? between(-b, -a) : (erfc(-b / Math.SQRT2, true) - erfc(-a / Math.SQRT2, true)) / 2;
}
