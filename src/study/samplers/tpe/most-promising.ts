import { argMax, maxOf } from '../../../numeric/extremes.js';
import type { Columns } from './dimension.js';
import type { ParzenEstimator } from './parzen-estimator.js';

/** The relative difference up to which ratios may be equal but for rounding. */
const TIE = 1e-9;

/**
 * The candidate with the largest ratio of the good to the bad density, the first of equals.
 *
 * Where several lie so close that rounding may decide, as far from all that was observed, Optuna's rounding does.
 */
export function mostPromising(
  candidates: Columns,
  good: ParzenEstimator,
  badLogs: Float64Array,
  badEstimator: () => ParzenEstimator,
): number {
  const scores = good.logDensity(candidates).map((log, i) => log - badLogs[i]!);
  // A score that is not finite decides nothing before it is computed anew.
  const least = scores.every(Number.isFinite) ? maxOf(scores) - TIE : Number.NEGATIVE_INFINITY;
  const close: number[] = [];
  for (let i = 0; i < scores.length; i++) if (!(scores[i]! < least) && isFirst(candidates, i)) close.push(i);
  if (close.length === 1) return close[0]!;
  const bad = badEstimator();
  const exact = close.map(
    (i) => good.logDensityInOrder(candidates, i) - bad.logDensityInOrder(candidates, i),
  );
  return close[argMax(exact)]!;
}

/** Whether no earlier candidate is the same point. */
function isFirst(candidates: Columns, i: number): boolean {
  for (let j = 0; j < i; j++) if (candidates.every((column) => column[j] === column[i])) return false;
  return true;
}
