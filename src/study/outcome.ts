import { UserError } from '../errors.js';
import { type FrozenTrial, lastStep } from './frozen-trial.js';

export interface Outcome {
  readonly state: 'COMPLETE' | 'PRUNED' | 'FAIL';
  readonly values: readonly number[] | null;
  /** Why values that were told made the trial FAIL. */
  readonly reason?: string;
}

/**
 * What a trial ends as, given what it was told, by Optuna's rules.
 *
 * - nothing said: COMPLETE with acceptable values, otherwise FAIL (no value, NaN, or a wrong number of them)
 * - COMPLETE: the values must be acceptable
 * - PRUNED: the value is the last one reported, unless that is NaN; none may be given
 * - FAIL: no value
 *
 * @throws UserError when state and values contradict each other.
 */
export function outcome(
  trial: FrozenTrial,
  objectives: number,
  told: readonly number[] | null,
  state: Outcome['state'] | undefined,
): Outcome {
  const fault = told === null ? 'no value was told' : faultOf(told, objectives);
  switch (state) {
    case 'COMPLETE':
      if (fault)
        throw new UserError(`trial ${trial.number}: expected values that COMPLETE accepts, but ${fault}`, {
          told,
        });
      return { state, values: told };
    case 'PRUNED':
    case 'FAIL': {
      if (told !== null)
        throw new UserError(`trial ${trial.number}: expected no values with ${state}, got ${told}`, { told });
      const step = state === 'PRUNED' ? lastStep(trial) : null;
      const last = step === null ? [] : [trial.intermediateValues.get(step)!];
      return { state, values: step !== null && !faultOf(last, objectives) ? last : null };
    }
    default:
      return fault ? { state: 'FAIL', values: null, reason: fault } : { state: 'COMPLETE', values: told };
  }
}

function faultOf(values: readonly number[], objectives: number): string | undefined {
  if (values.some((value) => typeof value !== 'number'))
    return `${JSON.stringify(values)} holds something that is no number`;
  if (values.some(Number.isNaN)) return 'a value is NaN';
  if (values.length !== objectives) return `${values.length} values came for ${objectives} objectives`;
  return undefined;
}
