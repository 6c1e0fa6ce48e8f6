import { UserError } from '../base/errors.js';
import type { Event } from '../events/event.js';

/** How often: after each epoch, or after every given number of steps. */
export type Every = 'epoch' | number;

/** Whether this event ends such an interval. */
export function isDue(every: Every, event: Event): boolean {
  return every === 'epoch' ? event.type === 'epoch' : event.type === 'step' && event.step % every === 0;
}

/** Checks an interval. @throws UserError for a number that is not a count of steps. */
export function checkEvery(every: Every): void {
  if (every !== 'epoch' && !(Number.isInteger(every) && every >= 1))
    throw new UserError(`every: expected 'epoch' or a count of steps from 1 up, got ${every}`, { every });
}
