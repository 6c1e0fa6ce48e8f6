import { UserError } from '../errors.js';
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

/** Whether all noted constraints are satisfied; a trial without any is feasible. */
export function isFeasible(trial: FrozenTrial): boolean {
  return constraintsOf(trial)?.every((constraint) => constraint <= 0) ?? true;
}

/** By how much constraints are violated together; what is NaN, or no number, is violated beyond measure. */
export function violationOf(constraints: readonly number[]): number {
  return constraints.reduce((sum, value) => (value <= 0 ? sum : value > 0 ? sum + value : Infinity), 0);
}

/**
 * Evaluates and notes the constraints of a trial that ends: what a sampler with constraints calls in `afterTrial`.
 *
 * @throws UserError when a value is NaN or no number.
 */
export function noteConstraints(
  study: StudyView,
  trial: FrozenTrial,
  state: TrialState,
  values: readonly number[] | null,
  constraints: Constraints | undefined,
): void {
  if (!constraints || (state !== 'COMPLETE' && state !== 'PRUNED')) return;
  const noted = constraints({ ...trial, state, values });
  if (!noted.every((value) => typeof value === 'number' && !Number.isNaN(value)))
    throw new UserError(`trial ${trial.number}: expected constraints that are numbers, got ${noted}`);
  study.setTrialSystemAttr(trial, CONSTRAINTS_KEY, [...noted]);
}
