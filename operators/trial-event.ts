import type { TrialEvent } from '../src/events/event.js';
import type { Trial } from '../src/study/trial.js';
import type { FrozenTrial } from '../src/study/trials/frozen-trial.js';

/** The event of a trial's current state. */
export function trialEvent(
  trial: Trial,
  state: TrialEvent['state'],
  more: Partial<Pick<TrialEvent, 'step' | 'value' | 'values' | 'reason'>> = {},
): TrialEvent {
  const { number, params } = trial.record;
  return {
    type: 'trial',
    time: Date.now(),
    study: trial.study.name,
    number,
    state,
    params: { ...params },
    ...more,
  };
}

/** The event of a trial that was stored as ended. */
export function endEvent(trial: Trial, { state, values, systemAttrs }: FrozenTrial): TrialEvent {
  const reason = systemAttrs.fail_reason;
  return trialEvent(trial, state as TrialEvent['state'], {
    ...(values?.length === 1 ? { value: values[0]! } : {}),
    ...(values ? { values } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
  });
}
