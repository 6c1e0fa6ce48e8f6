import { Kysely, PostgresDialect, sql } from 'kysely';
import { databaseError } from './connection-error.js';
import { type Database, LARGEST_INTEGER, LETTERS } from './database.js';
import { loadDriver } from './load-driver.js';
import { postgresTrips } from './postgres-trips.js';
import type { Tables } from './tables.js';
import { withoutPassword } from './without-password.js';

const TIMESTAMP = 1114;
/** Any number that other programs are unlikely to lock: "millrace" in ASCII, shortened to 32 bits. */
const LOCK = 0x6d696c6c;

/**
 * A PostgreSQL database through pg; the URL is one that libpq understands.
 *
 * @throws UserError when no server answers, or it refuses the user or the database.
 */
export async function openPostgres(url: string): Promise<Database> {
  const { default: pg } = await loadDriver('pg', () => import('pg'));
  // A naive date stays text: pg would read it in this process's zone.
  const types = {
    getTypeParser: (id: number, format?: 'text' | 'binary') =>
      id === TIMESTAMP ? (text: string) => text : pg.types.getTypeParser(id, format as 'text'),
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    types: types as typeof pg.types,
    connectionTimeoutMillis: 10_000,
  });
  // An idle connection that the server drops is replaced by the next query's.
  pool.on('error', () => {});
  try {
    (await pool.connect()).release();
  } catch (error) {
    await pool.end();
    throw databaseError(url, error);
  }
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    kind: 'postgresql',
    url: withoutPassword(url),
    db,
    limits: { letters: LETTERS, step: LARGEST_INTEGER },
    now: sql<string>`localtimestamp`,
    secondsSince: (column) => sql<number>`extract(epoch from localtimestamp - ${sql.ref(column)})`,
    isTransient: (error) => ['40001', '40P01', '55P03'].includes(codeOf(error)),
    isDuplicate: (error) => codeOf(error) === '23505',
    trips: postgresTrips(pool),
    exclusively: (work) =>
      db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
        return work(transaction);
      }),
  };
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
