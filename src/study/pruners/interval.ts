import { UserError } from '../../base/errors.js';
import { type FrozenTrial, lastStep } from '../trials/frozen-trial.js';

/** When a pruner checks a trial. */
export interface IntervalOptions {
  /** Steps before which no trial is ended, 0 by default. */
  readonly warmupSteps?: number;
  /** Checks once in this many steps, counted from the warm-up; 1 by default. */
  readonly intervalSteps?: number;
}

/** Checks the numbers of steps. @throws UserError when one makes no sense. */
export function checkedInterval({
  warmupSteps = 0,
  intervalSteps = 1,
}: IntervalOptions): Required<IntervalOptions> {
  if (!(warmupSteps >= 0))
    throw new UserError(`warmupSteps: expected 0 or more, got ${warmupSteps}`, { warmupSteps });
  if (!(intervalSteps >= 1))
    throw new UserError(`intervalSteps: expected 1 or more, got ${intervalSteps}`, { intervalSteps });
  return { warmupSteps, intervalSteps };
}

/** The last step where it is the first one reported in its interval, after the warm-up; otherwise null. */
export function dueStep(
  trial: FrozenTrial,
  { warmupSteps, intervalSteps }: Required<IntervalOptions>,
): number | null {
  const step = lastStep(trial);
  if (step === null || step < warmupSteps) return null;
  const start = Math.floor((step - warmupSteps) / intervalSteps) * intervalSteps + warmupSteps;
  for (const other of trial.intermediateValues.keys()) if (other !== step && other >= start) return null;
  return step;
}
