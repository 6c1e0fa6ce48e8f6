import { Kysely, PostgresDialect, sql } from 'kysely';
import type pg from 'pg';
import { databaseError } from './connection-error.js';
import { type Database, LARGEST_INTEGER, LETTERS } from './database.js';
import { firstConnection } from './first-connection.js';
import { loadDriver } from './load-driver.js';
import { isLostConnection } from './lost-connection.js';
import { postgresTrips } from './postgres-trips.js';
import type { Tables } from './tables.js';
import { withoutPassword } from './without-password.js';

const TIMESTAMP = 1114;
/** A lock number that other programs are unlikely to use: "millrace" in ASCII, shortened to 32 bits. */
const LOCK = 0x6d696c6c;

/**
 * A PostgreSQL database through pg; the URL is one that libpq understands.
 *
 * @throws UserError when no server answers, or it refuses the user or the database.
 */
export async function openPostgres(url: string, connections = 4): Promise<Database> {
  const { default: pg } = await loadDriver('pg', () => import('pg'));
  // A naive date stays text: pg would read it in this process's zone.
  const types = {
    getTypeParser: (id: number, format?: 'text' | 'binary') =>
      id === TIMESTAMP ? (text: string) => text : pg.types.getTypeParser(id, format as 'text'),
  };
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    types: types as typeof pg.types,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  });
  // A connection that the server drops, idle or at work, is replaced by the next query's: queries fail by themselves.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const printableUrl = withoutPassword(url);
  let zone = '';
  try {
    await firstConnection(url, async () => {
      zone = await heartbeatZone(pool);
    });
  } catch (error) {
    await pool.end();
    throw error;
  }
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  const now = sql<string>`(clock_timestamp() at time zone ${sql.lit(zone)})`;
  return {
    kind: 'postgresql',
    url: printableUrl,
    reopen: url,
    db,
    limits: { letters: LETTERS, step: LARGEST_INTEGER },
    now,
    secondsSince: (column) =>
      sql<number>`extract(epoch from clock_timestamp() - (${sql.ref(column)} at time zone ${sql.lit(zone)}))`,
    isTransient: (error) => ['40001', '40P01', '55P03'].includes(codeOf(error)),
    isLost: isLostConnection,
    isDuplicate: (error) => codeOf(error) === '23505',
    explain: (error) => databaseError(url, error),
    trips: postgresTrips(pool, db, now),
    exclusively: (work) =>
      db.transaction().execute(async (transaction) => {
        await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
        return work(transaction);
      }),
  };
}

/**
 * The time zone that heartbeats, which are dates without one, are written and read in: the database's, or the
 * server's, whatever zone this connection was given. Optuna writes them in its session's, which is the same one
 * unless its role or its client has another.
 *
 * A connection with a zone of its own cannot see the server's; `initdb` sets `log_timezone` alike, and only the
 * server's administrator changes it.
 */
async function heartbeatZone(pool: pg.Pool): Promise<string> {
  const { rows } = await pool.query<{ zone: string }>(`
    select coalesce(
      (select substr(setting, 10) from pg_db_role_setting join pg_database on pg_database.oid = setdatabase,
        unnest(setconfig) as setting
        where datname = current_database() and setrole = 0 and setting ilike 'timezone=%'),
      (select setting from pg_settings where name = 'TimeZone'
        and source in ('default', 'configuration file', 'command line', 'environment variable', 'global')),
      current_setting('log_timezone')
    ) as zone`);
  return rows[0]!.zone.replaceAll("'", '');
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
