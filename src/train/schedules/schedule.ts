import { UserError } from '../../base/errors.js';
import type { Event } from '../../events/event.js';

/**
 * The factor by which the base learning rate is multiplied at a step, counted from 0.
 *
 * A plain function; one that also listens to the run (`plateau`) keeps what it remembers in `state`, which
 * checkpoints save, and learns through `observe`.
 */
export interface Schedule {
  (step: number): number;
  readonly state?: Record<string, number | null>;
  /** Receives the run's events, for a schedule that follows a score. */
  observe?(event: Event): void;
}

/** Rejects lengths that are not a count of steps. */
export function checkedSteps(steps: number): number {
  if (!Number.isInteger(steps) || steps < 1)
    throw new UserError(`schedule: expected a count of steps from 1 up, got ${steps}`, { steps });
  return steps;
}
