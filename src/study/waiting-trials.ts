import { isRetry } from './retry-trial.js';
import type { Storage } from './storage/storage.js';
import type { TrialRecord } from './storage/trial-record.js';
import type { StudyCache } from './study-cache.js';
import type { FrozenTrial } from './trials/frozen-trial.js';

/** Claims the first WAITING trial that may run now: enqueued ones come before retries. */
export async function claimWaiting(
  storage: Storage,
  cache: StudyCache,
  mayRun: (trial: FrozenTrial) => boolean,
): Promise<TrialRecord | undefined> {
  // A copy, since the list changes while a claim is under way.
  const waiting = cache.active.filter((trial) => trial.state === 'WAITING' && mayRun(trial));
  for (const trial of waiting.toSorted((a, b) => Number(isRetry(a)) - Number(isRetry(b)))) {
    const time = Date.now();
    if (!(await storage.claimTrial(trial.id, time))) continue;
    return Object.assign(trial as TrialRecord, { state: 'RUNNING', datetimeStart: time });
  }
  return undefined;
}

/**
 * Whether a waiting trial may run: an enqueued one at once, a retry after a later trial that is not a retry.
 */
export function isNext(trial: FrozenTrial, cache: StudyCache): boolean {
  return !isRetry(trial) || cache.trials().some((other) => other.number > trial.number && !isRetry(other));
}
