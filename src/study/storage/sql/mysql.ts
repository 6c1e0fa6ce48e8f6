import { Kysely, MysqlDialect, sql } from 'kysely';
import { databaseError } from './connection-error.js';
import { type Database, LARGEST_INTEGER, LETTERS } from './database.js';
import { firstConnection } from './first-connection.js';
import { folding } from './folding.js';
import { loadDriver } from './load-driver.js';
import { isLostConnection } from './lost-connection.js';
import type { Tables } from './tables.js';
import { withoutPassword } from './without-password.js';

/** The size of a TEXT column, in bytes. */
const TEXT_BYTES = 65_535;

/**
 * A MySQL or MariaDB database through mysql2. Its dates have no fractions of a second, as Optuna makes them.
 *
 * @throws UserError when no server answers, or it refuses the user or the database.
 */
export async function openMysql(url: string, connections = 4): Promise<Database> {
  const { createPool } = await loadDriver('mysql2', () => import('mysql2'));
  const pool = createPool({
    ...addressOf(url),
    charset: 'utf8mb4',
    dateStrings: true,
    // Exactly: mysql2's own way to read a DOUBLE loses its last digits.
    typeCast: (field, next) => {
      if (field.type !== 'DOUBLE') return next();
      const text = field.string();
      return text === null ? null : Number(text);
    },
    connectionLimit: connections,
  });
  // A connection that the server drops, idle or at work, is replaced by the next query's: queries fail by themselves.
  pool.on('connection', (connection) => connection.on('error', () => {}));
  try {
    await firstConnection(url, () => pool.promise().query('select 1'));
  } catch (error) {
    await pool.promise().end();
    throw error;
  }
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) });
  return {
    kind: 'mysql',
    url: withoutPassword(url),
    reopen: url,
    db,
    limits: { letters: LETTERS, bytes: TEXT_BYTES, step: LARGEST_INTEGER },
    folding: () => folding(db),
    now: sql<string>`current_timestamp`,
    // As instants: the clock on the wall jumps by an hour twice a year.
    secondsSince: (column) =>
      sql<number>`unix_timestamp(current_timestamp(6)) - unix_timestamp(${sql.ref(column)})`,
    isTransient: (error) =>
      ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'].includes(codeOf(error)),
    isLost: isLostConnection,
    isDuplicate: (error) => codeOf(error) === 'ER_DUP_ENTRY',
    explain: (error) => databaseError(url, error),
    exclusively: (work) =>
      db.connection().execute(async (connection) => {
        await sql`select get_lock('millrace', 60)`.execute(connection);
        try {
          return await work(connection);
        } finally {
          await sql`select release_lock('millrace')`.execute(connection);
        }
      }),
  };
}

function addressOf(url: string) {
  try {
    const { hostname, port, username, password, pathname, searchParams } = new URL(url);
    const socketPath = searchParams.get('unix_socket');
    return {
      ...(socketPath ? { socketPath } : { host: hostname || '127.0.0.1', port: Number(port || 3306) }),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
      database: decodeURIComponent(pathname.slice(1)),
    };
  } catch (error) {
    throw databaseError(url, error);
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
