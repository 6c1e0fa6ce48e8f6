import { erfc } from '../../numeric/erf.js';
import { normal, type Random } from '../../random.js';
import type { GaussianProcess, GpPoint } from './gp-regression.js';

/** One axis of the space: its grid's number of points, if it has one, and whether these are choices. */
export interface GpAxis {
  readonly choice: boolean;
  /** Points of the grid, which has half a step at both ends; infinite for a real axis. */
  readonly points: number;
}

/** Starts of the local search, and steps of each at each scale. */
const STARTS = 8;
const TRIES = 24;
const SCALES = [0.1, 0.03, 0.01, 0.003, 0.001, 0.0003];

/**
 * log E[max(best − f, 0)] for f normal: expected improvement (Jones, Schonlau & Welch 1998) by its logarithm (Ament
 * et al. 2023, "Unexpected improvements to expected improvement"), which still tells hopeless points apart.
 */
export function logExpectedImprovement(mean: number, deviation: number, best: number): number {
  const z = (best - mean) / deviation;
  return Math.log(deviation) + logH(z);
}

/** log(φ(z) + zΦ(z)); far below 0 by the tail's asymptotic series, as the two terms cancel there. */
function logH(z: number): number {
  const logDensity = -(z * z) / 2 - Math.log(2 * Math.PI) / 2;
  if (z > -6) return Math.log(Math.exp(logDensity) + (z * erfc(-z / Math.SQRT2)) / 2);
  const s = 1 / (z * z);
  return logDensity + Math.log(s) + Math.log1p(-3 * s + 15 * s * s - 105 * s ** 3);
}

/** The point, on the grid, where the improvement is expected to be greatest: the best candidates, walked uphill. */
export function mostPromising(
  process: GaussianProcess,
  best: number,
  axes: readonly GpAxis[],
  candidates: readonly GpPoint[],
  random: Random,
): GpPoint {
  const score = (point: GpPoint) => {
    const { mean, deviation } = process.predict(point);
    return logExpectedImprovement(mean, deviation, best);
  };
  const scored = candidates
    .map((candidate) => snapped(candidate, axes))
    .map((point) => ({ point, value: score(point) }))
    .sort((a, b) => b.value - a.value);
  const tops = scored.slice(0, STARTS).map((start) => {
    let top = start;
    for (const scale of SCALES)
      for (let i = 0; i < TRIES; i++) {
        const point = neighbour(top.point, axes, scale, random);
        const value = score(point);
        if (value > top.value) top = { point, value };
      }
    return top;
  });
  return tops.reduce((a, b) => (b.value > a.value ? b : a)).point;
}

/** Moves some of the axes: real ones by a normal draw, grids by a step at least, choices to another. */
function neighbour(point: GpPoint, axes: readonly GpAxis[], scale: number, random: Random): GpPoint {
  const share = Math.max(1 / axes.length, 0.3);
  return snapped(
    point.map((x, i) => {
      if (random() > share) return x;
      const { choice, points } = axes[i]!;
      if (choice) return Math.floor(random() * points);
      const step = normal(random) * scale;
      return Number.isFinite(points) && Math.abs(step) < 1 / points ? x + Math.sign(step) / points : x + step;
    }),
    axes,
  );
}

function snapped(point: GpPoint, axes: readonly GpAxis[]): GpPoint {
  return point.map((x, i) => {
    const { choice, points } = axes[i]!;
    if (choice) return x;
    const inside = Math.min(1, Math.max(0, x));
    if (!Number.isFinite(points)) return inside;
    return (Math.min(points - 1, Math.floor(inside * points)) + 0.5) / points;
  });
}
