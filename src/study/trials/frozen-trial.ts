import type { Distribution, ParamValue } from './distribution.js';

/** Whether an objective is minimised or maximised. */
export type Direction = 'minimize' | 'maximize';

/** RUNNING and WAITING (enqueued, unclaimed) trials change; COMPLETE, PRUNED and FAIL ones never do again. */
export type TrialState = 'RUNNING' | 'COMPLETE' | 'PRUNED' | 'FAIL' | 'WAITING';

/** A JSON value, or one of the NaN and infinities of Python's JSON. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/**
 * A trial as stored. Once its state is COMPLETE, PRUNED or FAIL it never changes, and the same object is handed
 * to every reader; while it runs, the object of the process that runs it is updated in place.
 *
 * `params` are the values that user code saw; `internalParams` are the same as numbers (a choice's index).
 * `values` has one number for each direction, or is null where the trial was not told any.
 */
export interface FrozenTrial {
  /** The storage's key; unique over all studies in it, rising with `number` within one. */
  readonly id: number;
  /** From 0, without gaps within a study. */
  readonly number: number;
  readonly state: TrialState;
  readonly values: readonly number[] | null;
  readonly params: Readonly<Record<string, ParamValue>>;
  readonly internalParams: Readonly<Record<string, number>>;
  readonly distributions: Readonly<Record<string, Distribution>>;
  /** Reported values by step; may be NaN or infinite. */
  readonly intermediateValues: ReadonlyMap<number, number>;
  readonly userAttrs: Readonly<Record<string, Json>>;
  readonly systemAttrs: Readonly<Record<string, Json>>;
  /** Milliseconds since 1970, null before the start (WAITING). */
  readonly datetimeStart: number | null;
  readonly datetimeComplete: number | null;
}

/** Whether a trial in this state has ended. */
export function isFinished(state: TrialState): boolean {
  return state === 'COMPLETE' || state === 'PRUNED' || state === 'FAIL';
}

/** The largest step that was reported; null if there is none. */
export function lastStep(trial: FrozenTrial): number | null {
  let last: number | null = null;
  for (const step of trial.intermediateValues.keys()) if (last === null || step > last) last = step;
  return last;
}
