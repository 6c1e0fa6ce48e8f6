import { Kysely, MysqlDialect, sql } from 'kysely';
import { databaseError } from './connection-error.js';
import { type Database, LARGEST_INTEGER, LETTERS } from './database.js';
import { folding } from './folding.js';
import { loadDriver } from './load-driver.js';
import type { Tables } from './tables.js';
import { withoutPassword } from './without-password.js';

/** What a TEXT column holds. */
const TEXT_BYTES = 65_535;

/**
 * A MySQL or MariaDB database through mysql2. Its dates have no fractions of a second, as Optuna makes them.
 *
 * @throws UserError when no server answers, or it refuses the user or the database.
 */
export async function openMysql(url: string): Promise<Database> {
  const { createPool } = await loadDriver('mysql2', () => import('mysql2'));
  if (!URL.canParse(url)) throw databaseError(url, { code: 'ERR_INVALID_URL', message: 'it cannot be read' });
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const socketPath = searchParams.get('unix_socket');
  const pool = createPool({
    ...(socketPath ? { socketPath } : { host: hostname || '127.0.0.1', port: Number(port || 3306) }),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    charset: 'utf8mb4',
    dateStrings: true,
    // Exactly: mysql2's own way to read a DOUBLE loses its last digits.
    typeCast: (field, next) => {
      if (field.type !== 'DOUBLE') return next();
      const text = field.string();
      return text === null ? null : Number(text);
    },
    connectionLimit: 4,
  });
  try {
    await pool.promise().query('select 1');
  } catch (error) {
    await pool.promise().end();
    throw databaseError(url, error);
  }
  const db = new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) });
  return {
    kind: 'mysql',
    url: withoutPassword(url),
    db,
    limits: { letters: LETTERS, bytes: TEXT_BYTES, step: LARGEST_INTEGER },
    folding: () => folding(db),
    now: sql<string>`current_timestamp`,
    secondsSince: (column) =>
      sql<number>`timestampdiff(microsecond, ${sql.ref(column)}, current_timestamp(6)) / 1e6`,
    isTransient: (error) =>
      ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD'].includes(codeOf(error)),
    isDuplicate: (error) => codeOf(error) === 'ER_DUP_ENTRY',
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

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
