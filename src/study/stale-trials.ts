import { retryOf } from './retry-trial.js';
import type { TrialEnd } from './storage/storage.js';
import type { StudyCore } from './study-core.js';
import { FAIL_REASON } from './trials/fail-reason.js';

/**
 * Marks as FAIL the RUNNING trials whose process has been silent for the storage's grace period, and queues their
 * retries. Does nothing where the storage keeps no heartbeats.
 */
export async function failStale({ study: { storage, cache }, id, retries }: StudyCore): Promise<void> {
  if (!storage.staleTrials) return;
  const elsewhere = cache.active.filter((trial) => trial.state === 'RUNNING' && !cache.owns(trial));
  if (elsewhere.length === 0) return;
  const stale = await storage.staleTrials(elsewhere.map((trial) => trial.id));
  if (stale.length === 0) return;
  const reason = `its process was not heard of for ${storage.heartbeat?.grace} s`;
  for (const trial of await storage.readTrials(stale)) {
    const template = retryOf(trial, retries);
    const end: TrialEnd = {
      state: 'FAIL',
      values: null,
      time: Date.now(),
      changes: { systemAttrs: { [FAIL_REASON]: reason } },
      ...(template ? { successor: { study: id, template } } : {}),
    };
    await storage.finishTrial(trial.id, end);
  }
  await cache.refresh();
}
