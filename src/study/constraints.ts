import { UserError } from '../base/errors.js';
import { shown } from './fail-reason.js';
import type { FrozenTrial, TrialState } from './frozen-trial.js';
import type { StudyView } from './study-view.js';

/** The trial system attribute that holds constraint values, as Optuna's samplers write it; 0 or less is satisfied. */
export const CONSTRAINTS_KEY = 'constraints';
const NAMED = `${CONSTRAINTS_KEY}:`;

/** Constraint values of a trial that has ended with a value: as many each time, each satisfied at 0 or less. */
export type Constraints = (trial: FrozenTrial) => readonly number[];

/** The constraint values of a trial, or null where none were noted; Optuna 5 also notes each under its own name. */
export function constraintsOf({ systemAttrs }: FrozenTrial): readonly number[] | null {
  const listed = systemAttrs[CONSTRAINTS_KEY];
  const noted = new Map<string, number>(
    Array.isArray(listed) ? (listed as readonly number[]).map((value, i) => [String(i), value]) : [],
  );
  for (const key in systemAttrs) {
    if (key.startsWith(NAMED)) noted.set(key.slice(NAMED.length), systemAttrs[key] as number);
  }
  return noted.size > 0 ? [...noted.values()] : null;
}

/**
 * Whether all noted constraints are satisfied. A trial without any is feasible; one whose constraints could not be
 * evaluated, which notes null, is not.
 */
export function isFeasible(trial: FrozenTrial): boolean {
  if (trial.systemAttrs[CONSTRAINTS_KEY] === null) return false;
  return constraintsOf(trial)?.every((constraint) => constraint <= 0) ?? true;
}

/** By how much constraints are violated together; what is NaN, or no number, is violated beyond measure. */
export function violationOf(constraints: readonly number[]): number {
  return constraints.reduce((sum, value) => (value <= 0 ? sum : value > 0 ? sum + value : Infinity), 0);
}

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
    const given: unknown = constraints({ ...trial, state, values });
    if (!Array.isArray(given) || !Array.from(given).every(isNumber))
      throw new UserError(
        `trial ${trial.number}: expected constraints in an array of numbers, none NaN, got ${shown(given)}`,
      );
    noted = given;
  } finally {
    study.setTrialSystemAttr(trial, CONSTRAINTS_KEY, noted);
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value);
}
