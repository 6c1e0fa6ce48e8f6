import { UserError } from '../../base/errors.js';
import type { StorageLimits } from '../storage/storage.js';
import { shown } from '../trials/fail-reason.js';

/** @throws UserError when the value is not a number, or the step no integer from 0 up that the storage holds. */
export function checkReport(value: unknown, step: unknown, limits: StorageLimits = {}): void {
  if (typeof value !== 'number')
    throw new UserError(`report: expected a value that is a number, got ${shown(value)}`, { value });
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0)
    throw new UserError(`report: expected a step that is an integer from 0 up, got ${shown(step)}`, { step });
  if (limits.step !== undefined && step > limits.step)
    throw new UserError(`report: expected a step of at most ${limits.step} in this storage, got ${step}`, {
      step,
    });
}
