import { erfc } from '../../../numeric/erf.js';
import { minimize } from '../../../numeric/minimize.js';
import type { Random } from '../../../random/random-stream.js';
import type { GaussianProcess, GpPoint, Prediction } from './regression.js';

/** One axis of the space: its grid's number of points, if it has one, and whether these are choices. */
export interface GpAxis {
  readonly choice: boolean;
  /** The points of the grid, with half a step of margin at both ends; infinite for a real axis. */
  readonly points: number;
}

/** Candidates from which a local search starts; the best trial is an additional start, as in Optuna. */
const STARTS = 9;
/** The largest grid that is searched exhaustively. */
const SMALL_GRID = 16;

/**
 * log E[max(best − f, 0)] for f normal: expected improvement (Jones, Schonlau & Welch 1998) by its logarithm (Ament
 * et al. 2023, "Unexpected improvements to expected improvement"), which still tells hopeless points apart.
 */
export function logExpectedImprovement({ mean, deviation }: Prediction, best: number): number {
  return Math.log(deviation) + logH((best - mean) / deviation).value;
}

/** h(z) = φ(z) + zΦ(z) by its logarithm and its slope Φ/h; far below 0 by the tail's series, as the terms cancel. */
function logH(z: number): { readonly value: number; readonly slope: number } {
  const logDensity = -(z * z) / 2 - Math.log(2 * Math.PI) / 2;
  if (z > -25) {
    const below = erfc(-z / Math.SQRT2, true) / 2;
    const h = Math.exp(logDensity) + z * below;
    return { value: Math.log(h), slope: below / h };
  }
  const s = 1 / (z * z);
  const rest = 1 - 3 * s + 15 * s * s - 105 * s ** 3;
  return { value: logDensity + Math.log(s * rest), slope: (-z * (1 - s + 3 * s * s - 15 * s ** 3)) / rest };
}

/**
 * The point, on the grid, where the improvement is expected to be greatest, by local searches from some candidates
 * and from `known` points.
 *
 * The best candidate is among the starts, and others are drawn without replacement by their improvement (by Gumbel's
 * trick), so that they do not all lie on one hill.
 */
export function mostPromising(
  process: GaussianProcess,
  best: number,
  axes: readonly GpAxis[],
  candidates: readonly GpPoint[],
  observations: readonly GpPoint[],
  random: Random,
): GpPoint {
  const scored = (point: GpPoint) => {
    const value = logExpectedImprovement(process.predict(point), best);
    // Where the process predicts nothing, nothing is expected.
    return { point, value: Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value };
  };
  const all = candidates.map((point) => scored(snapped(point, axes)));
  const top = all.reduce((a, b) => (b.value > a.value ? b : a));
  const starts = all
    .map((start) => ({ start, key: start === top ? Infinity : start.value - Math.log(-Math.log(random())) }))
    .sort((a, b) => b.key - a.key)
    .slice(0, STARTS)
    .map(({ start }) => start);
  const ends = [...starts, ...observations.map(scored)].map((start) => {
    let end = start;
    for (let round = 0; round < 20; round++) {
      const before = end;
      const higher = scored(uphill(process, best, axes, end.point));
      if (higher.value > end.value) end = higher;
      axes.forEach((_, a) => {
        for (const point of alongGrid(end.point, axes, a).map(scored))
          if (point.value > end.value) end = point;
      });
      if (end === before || axes.every(({ points }) => !Number.isFinite(points))) break;
    }
    return end;
  });
  return ends.reduce((a, b) => (b.value > a.value ? b : a)).point;
}

/** A local maximum over the real axes, each in units of its length scale. */
function uphill(process: GaussianProcess, best: number, axes: readonly GpAxis[], from: GpPoint): GpPoint {
  const real = axes.flatMap(({ points }, a) => (Number.isFinite(points) ? [] : [a]));
  if (real.length === 0) return from;
  const lengths = real.map((a) => Math.exp(process.settings.lengths[a]!));
  const at = (x: Float64Array) => {
    const point = [...from];
    real.forEach((a, i) => {
      point[a] = Math.min(1, Math.max(0, x[i]! * lengths[i]!));
    });
    return point;
  };
  const end = minimize(
    (x) => {
      const { mean, deviation, byMean, byDeviation } = process.slopes(at(x));
      const z = (best - mean) / deviation;
      const { value, slope } = logH(z);
      const gradient = real.map(
        (a, i) => (lengths[i]! * (slope * (byMean[a]! + z * byDeviation[a]!) - byDeviation[a]!)) / deviation,
      );
      return { value: -Math.log(deviation) - value, gradient: Float64Array.from(gradient) };
    },
    Float64Array.from(real, (a, i) => from[a]! / lengths[i]!),
    { iterations: 100, tolerance: 1e-2, box: { low: lengths.map(() => 0), high: lengths.map((l) => 1 / l) } },
  );
  return at(end);
}

/** The points of a small grid's axis, or those a power of two of steps away. */
function alongGrid(point: GpPoint, axes: readonly GpAxis[], a: number): GpPoint[] {
  const { choice, points } = axes[a]!;
  if (!Number.isFinite(points)) return [];
  const place = choice ? point[a]! : Math.floor(point[a]! * points);
  const others: number[] = [];
  if (choice || points <= SMALL_GRID) for (let i = 0; i < points; i++) others.push(i);
  else for (let step = 1; step < points; step *= 2) others.push(place - step, place + step);
  return others
    .filter((i) => i >= 0 && i < points && i !== place)
    .map((i) => point.with(a, choice ? i : (i + 0.5) / points));
}

function snapped(point: GpPoint, axes: readonly GpAxis[]): GpPoint {
  return point.map((x, i) => {
    const { choice, points } = axes[i]!;
    if (choice || !Number.isFinite(points)) return x;
    return (Math.min(points - 1, Math.floor(x * points)) + 0.5) / points;
  });
}
