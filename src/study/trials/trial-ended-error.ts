import { UserError } from '../../base/errors.js';
import { type FrozenTrial, isFinished } from './frozen-trial.js';

/**
 * The error for telling or changing a trial that had ended: it was told before, or found stale by another process.
 */
export class TrialEndedError extends UserError {
  constructor({ number, state }: FrozenTrial, purpose: string) {
    const what = isFinished(state) ? `it is ${state}` : 'it was ended elsewhere';
    super(
      `trial ${number}: expected a RUNNING one ${purpose}, but ${what}; was it told before, or found stale?`,
      {
        number,
      },
    );
  }
}
