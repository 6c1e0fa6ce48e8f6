import type { Distribution } from '../trials/distribution.js';
import type { Direction, FrozenTrial, Json, TrialState } from '../trials/frozen-trial.js';

/** A study's own row: everything but its trials. */
export interface StudyRecord {
  readonly id: number;
  readonly name: string;
  readonly directions: readonly Direction[];
  readonly userAttrs: Readonly<Record<string, Json>>;
  readonly systemAttrs: Readonly<Record<string, Json>>;
}

/** A trial to store unchanged: an enqueued one, or a finished one from elsewhere. Absent fields are empty. */
export type TrialTemplate = Partial<Omit<FrozenTrial, 'id' | 'number'>> & { readonly state: TrialState };

/** The part of a trial that tells whether the rest must be read. */
export interface TrialHead {
  readonly id: number;
  readonly number: number;
  readonly state: TrialState;
}

/** A parameter's internal value, and its distribution. */
export interface StoredParam {
  readonly internal: number;
  readonly distribution: Distribution;
}

/** Additions to a running trial. Setting an attribute or a step again overwrites it. */
export interface TrialChanges {
  readonly params?: ReadonlyMap<string, StoredParam>;
  readonly intermediateValues?: ReadonlyMap<number, number>;
  readonly userAttrs?: Readonly<Record<string, Json>>;
  readonly systemAttrs?: Readonly<Record<string, Json>>;
}

/** The end of a trial. */
export interface TrialEnd {
  readonly state: 'COMPLETE' | 'PRUNED' | 'FAIL';
  readonly values: readonly number[] | null;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly changes?: TrialChanges;
  /** Stored in the same stroke as the end, so that no crash comes between: the retry of a stale trial. */
  readonly successor?: { readonly study: number; readonly template: TrialTemplate };
}

/** A limit on the number of trials in some states. */
export interface TrialLimit {
  readonly states: readonly TrialState[];
  readonly most: number;
}

/** The limits of a storage; an absent field is no limit. */
export interface StorageLimits {
  /** The most characters (code points) of a name: an attribute's key, a parameter's, a study's. */
  readonly letters?: number;
  /** The most bytes of an attribute's JSON, and of a distribution's. */
  readonly bytes?: number;
  readonly step?: number;
  /** Folds a name as the database does, if it equates several names. */
  readonly fold?: (name: string) => string;
}

/** The heartbeats of running trials; times in seconds. */
export interface Heartbeat {
  readonly interval: number;
  /** A RUNNING trial whose last beat is older than this is stale. */
  readonly grace: number;
}

/**
 * A store of studies, shared by any number of processes.
 *
 * Finished trials never change, so that readers keep them and ask for heads to learn what is new: every method
 * costs no more than what it reads or writes, whatever the size of the study. Trial ids rise within a study in
 * the order of creation, and a reader that has seen an id has been able to see all smaller ones.
 */
export interface Storage {
  /** The storage's URL, without a password. */
  readonly url: string;
  readonly limits?: StorageLimits;
  /** Present if heartbeats are kept; a new RUNNING trial then begins with one. */
  readonly heartbeat?: Heartbeat;
  /** @throws UserError when the name is taken. */
  createStudy(name: string, directions: readonly Direction[]): Promise<number>;
  /** Deletes a study and its trials. */
  deleteStudy(study: number): Promise<void>;
  /** The study of this name, if there is one. */
  findStudy(name: string): Promise<StudyRecord | undefined>;
  /** All studies, in the order of their creation. */
  studies(): Promise<readonly StudyRecord[]>;
  /** Sets an attribute of a study. */
  setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json): Promise<void>;
  /** A new trial, RUNNING now unless the template says otherwise, under the study's next number. */
  createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial>;
  /** As `createTrial`, but null if the study has reached its limit of trials in these states. */
  createTrialWithin(study: number, limit: TrialLimit, template?: TrialTemplate): Promise<FrozenTrial | null>;
  /** Makes a WAITING trial RUNNING; false if another process was faster. */
  claimTrial(trial: number, time: number): Promise<boolean>;
  /** Heads of the study's trials whose id is above `after`, and of those listed, by id. */
  readHeads(study: number, after: number, ids: readonly number[]): Promise<readonly TrialHead[]>;
  /** The trials with these ids, in their order. */
  readTrials(ids: readonly number[]): Promise<readonly FrozenTrial[]>;
  /** @throws FinishedTrialError when the trial has ended, for instance because it was found stale. */
  writeTrial(trial: number, changes: TrialChanges): Promise<void>;
  /** Ends a RUNNING trial; false if it had ended before, and then nothing is written. */
  finishTrial(trial: number, end: TrialEnd): Promise<boolean>;
  /** Keeps up the heartbeat of a RUNNING trial until `stopBeating`, even while the event loop is blocked. */
  startBeating?(trial: number): void;
  /** Ends a heartbeat. */
  stopBeating?(trial: number): void;
  /**
   * The given trials that are RUNNING with a heartbeat older than the grace period, by the storage's clock.
   */
  staleTrials?(ids: readonly number[]): Promise<readonly number[]>;
  /** Closes connections and files. */
  close(): Promise<void>;
}

/** The error for a write to a trial that has ended. */
export class FinishedTrialError extends Error {
  override readonly name = 'FinishedTrialError';

  constructor(readonly trial: number) {
    super(`trial with id ${trial} has ended and cannot change; was it found stale?`);
  }
}
