import type { FrozenTrial } from './frozen-trial.js';

/** The trial system attribute that holds constraint values, as Optuna's samplers write it; 0 or less is satisfied. */
export const CONSTRAINTS_KEY = 'constraints';
const NAMED = `${CONSTRAINTS_KEY}:`;

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
