import { UserError } from '../../base/errors.js';
import { minOf } from '../../numeric/extremes.js';
import type { Pruner } from '../contracts/pruner.js';
import type { StudyView } from '../contracts/study-view.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';

/**
 * Lets another pruner decide only when a trial has not improved for `patience` steps after the one before them:
 * when the best of its last `patience + 1` values is worse by more than `minDelta` than the best before. With no
 * other pruner, that ends it.
 */
export class PatientPruner implements Pruner {
  readonly #minDelta: number;

  constructor(
    private readonly wrapped: Pruner | null,
    private readonly patience: number,
    { minDelta = 0 }: { readonly minDelta?: number } = {},
  ) {
    if (!(patience >= 0)) throw new UserError(`patience: expected 0 or more, got ${patience}`, { patience });
    if (!(minDelta >= 0)) throw new UserError(`minDelta: expected 0 or more, got ${minDelta}`, { minDelta });
    this.#minDelta = minDelta;
  }

  prune(study: StudyView, trial: FrozenTrial): boolean {
    const sign = study.directions[0] === 'maximize' ? -1 : 1;
    const losses = [...trial.intermediateValues].sort(([a], [b]) => a - b).map(([, value]) => sign * value);
    const cut = losses.length - this.patience - 1;
    if (cut <= 0) return false;
    // A side of nothing but NaN makes the comparison false, as with numpy's nanmin.
    if (!(least(losses.slice(0, cut)) + this.#minDelta < least(losses.slice(cut)))) return false;
    return this.wrapped ? this.wrapped.prune(study, trial) : true;
  }

  /** The wrapped pruner's choice of competitors. */
  view(study: StudyView, trial: FrozenTrial): StudyView {
    return this.wrapped?.view?.(study, trial) ?? study;
  }
}

function least(values: readonly number[]): number {
  const numbers = values.filter((value) => !Number.isNaN(value));
  return numbers.length > 0 ? minOf(numbers) : Number.NaN;
}
