import type { Direction, FrozenTrial, Json, TrialState } from '../trials/frozen-trial.js';

/**
 * A study as samplers and pruners see it: a snapshot that the study refreshes before each ask and each pruning
 * decision, read without waiting and without copying.
 *
 * Whoever keeps statistics of past trials should keep them up to date incrementally: remember how much of
 * `finished` was seen, take the rest, and key what is remembered by the view (a WeakMap), since one sampler may
 * serve several studies, and Hyperband hands each of its brackets a view of its own.
 */
export interface StudyView {
  readonly studyName: string;
  readonly directions: readonly Direction[];
  /** The study that this is a part of; absent where it is all of it. */
  readonly whole?: StudyView;
  /**
   * COMPLETE, PRUNED and FAIL trials in the order in which this process learned of them: append-only, the same
   * array for the life of the view, every element immutable. Sequential studies have it in order of number;
   * sort by number where the result must not depend on timing.
   */
  readonly finished: readonly FrozenTrial[];
  /** RUNNING and WAITING trials, by number; their number is about that of the workers. */
  readonly active: readonly FrozenTrial[];
  /** All trials by number, or those in the given states: O(n), so not for every ask. */
  trials(states?: readonly TrialState[]): readonly FrozenTrial[];
  readonly userAttrs: Readonly<Record<string, Json>>;
  /** As of the last refresh, and of this process's own writes; refreshed at each ask only for `Sampler.usesStudyAttrs`. */
  readonly systemAttrs: Readonly<Record<string, Json>>;
  /** Takes effect in this process at once, and in the storage before the next ask resolves. */
  setSystemAttr(key: string, value: Json): void;
  /** Sets an attribute of a RUNNING trial, like the sampler's own notes; stored with the trial's next write. */
  setTrialSystemAttr(trial: FrozenTrial, key: string, value: Json): void;
  /** Warns the user, as the study itself does. */
  warn(code: string, message: string): void;
  /** Stops `optimize` and `trials` in this process from asking for trials; running trials go on. */
  stop(): void;
}
