import { UserError } from '../../../base/errors.js';
import type { StudyView } from '../../contracts/study-view.js';
import { CONSTRAINTS_KEY } from '../../trials/constraints.js';
import { shown } from '../../trials/fail-reason.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';

/** Constraint values of a trial that has ended with a value: as many each time, each satisfied at 0 or less. */
export type Constraints = (trial: FrozenTrial) => readonly number[];

/**
 * Evaluates and notes the constraints of a trial that ends: what a sampler with constraints calls in `afterTrial`.
 *
 * Where that fails null is noted, as Optuna does.
 *
 * @throws UserError when a value is NaN or no number, and whatever the constraints throw.
 */
export function noteConstraints(
  study: StudyView,
  trial: FrozenTrial,
  state: TrialState,
  values: readonly number[] | null,
  constraints: Constraints | null | undefined,
): void {
  if (!constraints || (state !== 'COMPLETE' && state !== 'PRUNED')) return;
  let noted: readonly number[] | null = null;
  try {
    const result: unknown = constraints({ ...trial, state, values });
    if (!Array.isArray(result) || !Array.from(result).every(isNumber))
      throw new UserError(
        `trial ${trial.number}: expected constraints in an array of numbers, none NaN, got ${shown(result)}`,
      );
    noted = result;
  } finally {
    study.setTrialSystemAttr(trial, CONSTRAINTS_KEY, noted);
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value);
}
