import { UserError } from '../../base/errors.js';
import { shown } from './fail-reason.js';
import { type FrozenTrial, lastStep } from './frozen-trial.js';

export interface Outcome {
  readonly state: 'COMPLETE' | 'PRUNED' | 'FAIL';
  readonly values: readonly number[] | null;
  /** The reason why the told values made the trial FAIL. */
  readonly reason?: string;
}

/**
 * The end of a trial, from the result that it was told, by Optuna's rules.
 *
 * - nothing said: COMPLETE with acceptable values, otherwise FAIL (no value, NaN, something that is not a number, or a
 *   wrong number of them)
 * - COMPLETE: the values must be acceptable
 * - PRUNED: the value is the last one reported, unless that is NaN; none may be given
 * - FAIL: no value
 *
 * Unlike in Python nothing is cast: the string "0.5" and true are not numbers.
 *
 * @param result a number, or one for each objective; whatever else JavaScript hands over makes the trial FAIL
 * @throws UserError when state and values contradict each other, or the state is none of these.
 */
export function outcome(
  trial: FrozenTrial,
  objectives: number,
  result: unknown,
  state: Outcome['state'] | undefined,
): Outcome {
  switch (state ?? undefined) {
    case undefined: {
      const reason = faultOf(result, objectives);
      return reason
        ? { state: 'FAIL', values: null, reason }
        : { state: 'COMPLETE', values: valuesOf(result) };
    }
    case 'COMPLETE': {
      const fault = faultOf(result, objectives);
      if (!fault) return { state: 'COMPLETE', values: valuesOf(result) };
      throw new UserError(`trial ${trial.number}: expected values that COMPLETE accepts, but ${fault}`, {
        result,
      });
    }
    case 'PRUNED':
    case 'FAIL': {
      if (result !== null && result !== undefined)
        throw new UserError(`trial ${trial.number}: expected no values with ${state}, got ${shown(result)}`, {
          result,
        });
      const step = state === 'PRUNED' ? lastStep(trial) : null;
      const last = step === null ? null : trial.intermediateValues.get(step)!;
      return { state: state!, values: last !== null && !faultOf(last, objectives) ? [last] : null };
    }
    default:
      throw new UserError(
        `trial ${trial.number}: expected the state COMPLETE, PRUNED or FAIL, got ${shown(state)}`,
        { state },
      );
  }
}

/** Why these cannot be a trial's values; undefined if they can. */
export function faultOf(result: unknown, objectives: number): string | undefined {
  if (result === null || result === undefined) return 'no value was told';
  if (typeof result !== 'number' && !Array.isArray(result)) return `${shown(result)} is not a number`;
  const values: readonly unknown[] = typeof result === 'number' ? [result] : result;
  // By index, since the array may have holes.
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] !== 'number') return `${shown(values[i])} is not a number`;
    if (Number.isNaN(values[i])) return 'a value is NaN';
  }
  if (values.length !== objectives) return `${values.length} values came for ${objectives} objectives`;
  return undefined;
}

/** A copy of valid values. */
function valuesOf(result: unknown): readonly number[] {
  return typeof result === 'number' ? [result] : [...(result as readonly number[])];
}
