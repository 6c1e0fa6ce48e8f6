import type { Outcome } from './trials/outcome.js';

/** Options of `Study.tell`. */
export interface TellOptions {
  /** The state to end with; by default COMPLETE with acceptable values, otherwise FAIL. */
  readonly state?: Outcome['state'];
  /** Leave a trial that has ended as it is, instead of throwing. */
  readonly skipIfFinished?: boolean;
  /** Why the trial failed; kept as its system attribute `fail_reason`. */
  readonly reason?: string;
  /**
   * Queue its parameters again, if it has any, as for a stale trial: for a trial that was stopped through no fault of
   * its own.
   */
  readonly retry?: boolean;
}
