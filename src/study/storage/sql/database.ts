import type { Kysely, RawBuilder } from 'kysely';
import type { StorageLimits } from '../storage.js';
import type { Tables } from './tables.js';
import type { Trips } from './trips.js';

/** The length of Optuna's name columns where the database enforces one: varchar(512). */
export const LETTERS = 512;
/** The range of an integer column on a server. */
export const LARGEST_INTEGER = 2 ** 31 - 1;

/** A kind of database, beyond the SQL that Kysely writes for all of them. */
export interface Database {
  readonly kind: 'sqlite' | 'postgresql' | 'mysql';
  /** The URL without its password. */
  readonly url: string;
  /** The URL, with its password, for a connection in another thread; absent if that is impossible. */
  readonly reopen?: string;
  readonly db: Kysely<Tables>;
  readonly limits: StorageLimits;
  /** How the collation of the names' column folds names; undefined if it compares them exactly. */
  folding?(): Promise<StorageLimits['fold']>;
  /** The current time by the database's clock, in the form of a heartbeat. */
  readonly now: RawBuilder<string>;
  /** Seconds since the date in `column`, by the database's clock. */
  secondsSince(column: string): RawBuilder<number>;
  /** Whether the transaction may succeed when it is run again: a lock was busy, or a deadlock was broken. */
  isTransient(error: unknown): boolean;
  /** Whether the connection broke, so that the last statement may or may not have taken effect. */
  isLost(error: unknown): boolean;
  /** Whether a row with this key existed already. */
  isDuplicate(error: unknown): boolean;
  /** A UserError for what the user can fix; any other error comes back as it is. */
  explain(error: unknown): unknown;
  /** Shortcuts for the operations of every trial. */
  readonly trips?: Trips;
  /** Runs `work` while no other process creates tables. */
  exclusively<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
}
