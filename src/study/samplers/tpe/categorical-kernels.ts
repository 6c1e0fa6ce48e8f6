import { UserError } from '../../../base/errors.js';
import { exp, log } from '../../../numeric/exp-log.js';
import { maxOf } from '../../../numeric/extremes.js';
import { pairwiseSum } from '../../../numeric/pairwise-sum.js';
import type { CategoricalDistribution, Choice } from '../../trials/distribution.js';

/** The distance between two choices. */
export type Distance = (a: Choice, b: Choice) => number;

/** The kernels of observed choices: one row of probabilities per kernel, the last one the prior's. */
export interface CategoricalKernels {
  readonly choices: number;
  readonly rows: Float64Array;
  /** The logarithms of the kernels' probabilities, by choice; see `logsOf`. */
  readonly logs: Map<number, Float64Array>;
}

/** The logarithms of the kernels' probabilities of one choice, computed at first use. */
export function logsOf({ choices, rows, logs }: CategoricalKernels, choice: number): Float64Array {
  let column = logs.get(choice);
  if (!column) {
    column = new Float64Array(rows.length / choices).map((_, k) => Math.log(rows[k * choices + choice]!));
    logs.set(choice, column);
  }
  return column;
}

/**
 * A kernel for each observed index: the prior's weight over all choices, and 1 more at its own; with a distance, a
 * bell around its own (Optuna 3.4 on), ln(n/w)·ln(choices)/ln 6 narrow.
 */
export function categoricalKernels(
  observations: Float64Array,
  { choices: names }: CategoricalDistribution,
  priorWeight: number,
  distance: Distance | undefined,
): CategoricalKernels {
  const choices = names.length;
  const n = observations.length;
  if (n === 0) return { choices, rows: new Float64Array(choices).fill(1 / choices), logs: new Map() };
  const rows = new Float64Array((n + 1) * choices).fill(priorWeight / (n + 1));
  const bells = new Map<number, Float64Array>();
  const narrowness = (log((n + 1) / priorWeight) * log(choices)) / log(6);
  for (let i = 0; i < n; i++) {
    const choice = observations[i]!;
    if (!distance) {
      rows[i * choices + choice]! += 1;
      continue;
    }
    let bell = bells.get(choice);
    if (!bell) {
      const distances = names.map((name) => checked(distance(names[choice]!, name)));
      // Where no choice is away from it, all are as near.
      const farthest = maxOf(distances) || 1;
      bell = Float64Array.from(distances, (d) => exp(-((d / farthest) ** 2) * narrowness));
      bells.set(choice, bell);
    }
    rows.set(bell, i * choices);
  }
  for (let i = 0; i <= n; i++) {
    const sum = pairwiseSum(rows, i * choices, choices) || 1;
    for (let c = 0; c < choices; c++) rows[i * choices + c]! /= sum;
  }
  return { choices, rows, logs: new Map() };
}

function checked(distance: number): number {
  if (!(distance >= 0 && Number.isFinite(distance)))
    throw new UserError(`categoricalDistance: expected a finite number from 0 up, got ${distance}`, {
      distance,
    });
  return distance;
}
