import type { TrialState } from '../../trials/frozen-trial.js';
import type { TrialChanges } from '../storage.js';
import type { NumberedTrial } from './token.js';

/** A RUNNING trial without parameters. */
export interface Start {
  readonly study: number;
  /** The id of a trial of the study, from where to look for the newest. */
  readonly last: number;
  /** When it starts, as the database holds it. */
  readonly time: string;
  /** Whether it begins with a heartbeat. */
  readonly beats: boolean;
  /** Kept as a system attribute, to know the trial by. */
  readonly token: string;
}

export interface End {
  readonly state: TrialState;
  /** When it ends, as the database holds it. */
  readonly time: string;
  readonly changes: TrialChanges;
  readonly values: readonly number[] | null;
}

/** Operations that a database does in one round trip where a transaction would take several. */
export interface Trips {
  /** Stores a new trial, numbered under the lock of its study; undefined where there is no such study. */
  startTrial(start: Start): Promise<NumberedTrial | undefined>;
  /** Adds to a trial that has not ended; false when it has. */
  writeTrial(trial: number, changes: TrialChanges): Promise<boolean>;
  /** Ends a RUNNING trial; false when it is not one. */
  finishTrial(trial: number, end: End): Promise<boolean>;
}
