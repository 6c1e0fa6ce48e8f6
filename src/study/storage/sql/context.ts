import type { Clock } from '../timestamps.js';
import type { Database } from './database.js';

/** The context that the queries of one storage share. */
export interface SqlContext {
  readonly database: Database;
  /** The clock of the dates in the tables. */
  readonly clock: Clock;
  /** Whether the database may confuse two names. */
  readonly folds: boolean;
  /** Whether RUNNING trials begin with a heartbeat. */
  readonly beats: boolean;
}
