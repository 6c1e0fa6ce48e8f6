import type { TrialTemplate } from './storage/storage.js';
import type { FrozenTrial } from './trials/frozen-trial.js';

/** The default number of retries of a trial: one that kills its process costs no more than three runs. */
export const MAX_RETRIES = 2;

/** Options for trials that were stale or stopped and became FAIL: whether they are tried again. */
export interface RetryOptions {
  /** The number of retries of one trial, 2 by default; 0: none, Infinity: without limit. */
  readonly maxRetries?: number;
  /** Whether the retry begins with the earlier trial's reports. */
  readonly inheritIntermediateValues?: boolean;
}

/** The numbers of the trials that this one retries, oldest first; empty for a trial that is not a retry. */
export function retryHistory(trial: FrozenTrial): readonly number[] {
  const history = trial.systemAttrs.retry_history;
  return Array.isArray(history) ? (history as number[]) : [];
}

/** Whether a trial repeats another; Optuna's own retries are known by the same attribute. */
export function isRetry(trial: FrozenTrial): boolean {
  return retryHistory(trial).length > 0;
}

/**
 * Whether there are parameters to repeat: a trial without any, its own or enqueued, is no different from a new one.
 */
export function isChosen({ params, systemAttrs }: FrozenTrial): boolean {
  return Object.keys(params).length > 0 || systemAttrs.fixed_params !== undefined;
}

/**
 * The WAITING trial that repeats a stale one with the same parameters; null when it has been retried often enough.
 */
export function retryOf(
  trial: FrozenTrial,
  { maxRetries = MAX_RETRIES, inheritIntermediateValues }: RetryOptions,
): TrialTemplate | null {
  const history = [...retryHistory(trial), trial.number];
  if (maxRetries < history.length) return null;
  return {
    state: 'WAITING',
    params: trial.params,
    internalParams: trial.internalParams,
    distributions: trial.distributions,
    userAttrs: trial.userAttrs,
    systemAttrs: { failed_trial: trial.number, ...trial.systemAttrs, retry_history: history },
    ...(inheritIntermediateValues ? { intermediateValues: trial.intermediateValues } : {}),
  };
}
