import type { Kysely } from 'kysely';
import type { SqlContext } from './context.js';
import { retry } from './retry.js';
import type { Tables } from './tables.js';

/**
 * Runs the queries of one storage, and retries them after a busy lock or a lost connection.
 *
 * Work gets `again` where an earlier attempt lost its connection: it may have been stored all the same.
 */
export class Session {
  #lastLoss = Number.NEGATIVE_INFINITY;

  constructor(readonly context: SqlContext) {}

  /** When a query last had to be retried on another connection, in milliseconds since 1970. */
  get lastLoss(): number {
    return this.#lastLoss;
  }

  /** Runs work that begins its own transactions. */
  run<T>(work: (db: Kysely<Tables>, again: boolean) => Promise<T>): Promise<T> {
    const { database } = this.context;
    const attempt = async (again: boolean) => {
      if (again) this.#lastLoss = Date.now();
      return work(database.db, again);
    };
    return retry(attempt, database);
  }

  /** Runs work in one transaction. */
  transaction<T>(work: (db: Kysely<Tables>, again: boolean) => Promise<T>): Promise<T> {
    return this.run((db, again) => db.transaction().execute((transaction) => work(transaction, again)));
  }
}
