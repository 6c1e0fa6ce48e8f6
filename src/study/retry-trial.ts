import type { FrozenTrial } from './frozen-trial.js';
import type { TrialTemplate } from './storage/storage.js';

/** What happens after a trial whose process died was found stale, or was stopped, and made FAIL. */
export interface RetryOptions {
  /** How often one trial is tried again; 0: never, by default without limit. */
  readonly maxRetries?: number;
  /** Whether the retry begins with the reports of the trial before. */
  readonly inheritIntermediateValues?: boolean;
}

/** The numbers of the trials that this one retries, the first one first; empty for a trial of its own. */
export function retryHistory(trial: FrozenTrial): readonly number[] {
  const history = trial.systemAttrs.retry_history;
  return Array.isArray(history) ? (history as number[]) : [];
}

/** Whether there is something to repeat: a trial without parameters, its own or enqueued ones, is as good as a new one. */
export function isChosen({ params, systemAttrs }: FrozenTrial): boolean {
  return Object.keys(params).length > 0 || systemAttrs.fixed_params !== undefined;
}

/** The WAITING trial that repeats a stale one with the same parameters, or null when it was retried often enough. */
export function retryOf(trial: FrozenTrial, options: RetryOptions): TrialTemplate | null {
  const history = [...retryHistory(trial), trial.number];
  if (options.maxRetries !== undefined && options.maxRetries < history.length) return null;
  return {
    state: 'WAITING',
    params: trial.params,
    internalParams: trial.internalParams,
    distributions: trial.distributions,
    userAttrs: trial.userAttrs,
    systemAttrs: { failed_trial: trial.number, ...trial.systemAttrs, retry_history: history },
    ...(options.inheritIntermediateValues ? { intermediateValues: trial.intermediateValues } : {}),
  };
}
