import type { TrialState } from '../../trials/frozen-trial.js';
import type { TrialChanges } from '../storage.js';
import type { NumberedTrial } from './token.js';

/** A RUNNING trial without parameters. */
export interface Start {
  readonly study: number;
  /** The id of a known trial of the study, at which the search for the newest begins. */
  readonly last: number;
  /** When it starts, as the database holds it. */
  readonly time: string;
  /** Whether it begins with a heartbeat. */
  readonly beats: boolean;
  /** A system attribute that identifies the trial. */
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
  /** Stores a new trial, numbered under the lock of its study; undefined if the study does not exist. */
  startTrial(start: Start): Promise<NumberedTrial | undefined>;
  /** Adds to a trial that has not ended; false if it has. */
  writeTrial(trial: number, changes: TrialChanges): Promise<boolean>;
  /** Ends a RUNNING trial; false if it is not RUNNING. */
  finishTrial(trial: number, end: End): Promise<boolean>;
}
