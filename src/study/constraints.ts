import type { FrozenTrial } from './frozen-trial.js';

/** The trial system attribute that holds constraint values, as Optuna's samplers write it; 0 or less is satisfied. */
export const CONSTRAINTS_KEY = 'constraints';

/** The constraint values of a trial, or null where none were noted. */
export function constraintsOf(trial: FrozenTrial): readonly number[] | null {
  const constraints = trial.systemAttrs[CONSTRAINTS_KEY];
  return Array.isArray(constraints) ? (constraints as readonly number[]) : null;
}

/** Whether all noted constraints are satisfied; a trial without any is feasible. */
export function isFeasible(trial: FrozenTrial): boolean {
  return constraintsOf(trial)?.every((constraint) => constraint <= 0) ?? true;
}
