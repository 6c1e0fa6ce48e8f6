import { UserError } from '../../base/errors.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { checkedInterval, dueStep, type IntervalOptions } from './interval.js';

/** Ends a trial whose last value is NaN, below `lower` or above `upper`. */
export class ThresholdPruner implements Pruner {
  readonly #lower: number;
  readonly #upper: number;
  readonly #interval: Required<IntervalOptions>;

  constructor({
    lower,
    upper,
    ...interval
  }: IntervalOptions & { readonly lower?: number; readonly upper?: number }) {
    if (lower === undefined && upper === undefined)
      throw new UserError('threshold: expected lower, upper or both');
    this.#lower = lower ?? Number.NEGATIVE_INFINITY;
    this.#upper = upper ?? Number.POSITIVE_INFINITY;
    if (!(this.#lower <= this.#upper))
      throw new UserError(`threshold: expected lower <= upper, got ${lower} and ${upper}`);
    this.#interval = checkedInterval(interval);
  }

  prune(_: StudyView, trial: FrozenTrial): boolean {
    const step = dueStep(trial, this.#interval);
    if (step === null) return false;
    const value = trial.intermediateValues.get(step)!;
    return Number.isNaN(value) || value < this.#lower || value > this.#upper;
  }
}
