import type { Clock } from '../timestamps.js';
import type { Database } from './database.js';

/** The context that the queries of one storage share. */
export interface SqlContext {
  readonly database: Database;
  /** The clock that dates in the tables show. */
  readonly clock: Clock;
  /** Whether the database may take one name for another. */
  readonly folds: boolean;
  /** Whether RUNNING trials begin with a heartbeat. */
  readonly beats: boolean;
}
