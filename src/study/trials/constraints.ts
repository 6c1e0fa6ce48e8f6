import type { FrozenTrial } from './frozen-trial.js';

/** The trial system attribute that holds constraint values, as Optuna's samplers write it; 0 or less is satisfied. */
export const CONSTRAINTS_KEY = 'constraints';
const NAMED = `${CONSTRAINTS_KEY}:`;

/** The constraint values of a trial, or null where none were noted; Optuna 5 also notes each under its own name. */
export function constraintsOf({ systemAttrs }: FrozenTrial): readonly number[] | null {
  const list = systemAttrs[CONSTRAINTS_KEY];
  const byName = new Map<string, number>(
    Array.isArray(list) ? (list as readonly number[]).map((value, i) => [String(i), value]) : [],
  );
  for (const key in systemAttrs) {
    if (key.startsWith(NAMED)) byName.set(key.slice(NAMED.length), systemAttrs[key] as number);
  }
  return byName.size > 0 ? [...byName.values()] : null;
}

/**
 * Whether all noted constraints are satisfied. A trial without any is feasible; one whose constraints could not be
 * evaluated, which notes null, is not.
 */
export function isFeasible(trial: FrozenTrial): boolean {
  if (trial.systemAttrs[CONSTRAINTS_KEY] === null) return false;
  return constraintsOf(trial)?.every((constraint) => constraint <= 0) ?? true;
}

/** The sum of the constraint violations; infinite for NaN or a value that is not a number. */
export function violationOf(constraints: readonly number[]): number {
  return constraints.reduce((sum, value) => (value <= 0 ? sum : value > 0 ? sum + value : Infinity), 0);
}
