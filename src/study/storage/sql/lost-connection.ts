/**
 * Whether an error of pg or mysql2 means that a connection broke, or that the server currently accepts none: the
 * statement may be repeated on another connection.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 * @see https://mariadb.com/kb/en/mariadb-error-code-reference/
 */
export function isLostConnection(error: unknown): boolean {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code, message } = (first ?? {}) as { code?: unknown; message?: unknown };
  return CODES.has(String(code)) || /^08\w{3}$/.test(String(code)) || MESSAGES.test(String(message));
}

const CODES: ReadonlySet<string> = new Set([
  // The network, of this machine or on the way.
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EAI_AGAIN',
  // PostgreSQL: shut down by its administrator, after a crash, starting up, dropped for idling, too many connections.
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '25P03',
  '53300',
  // MySQL and MariaDB.
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_CONNECTION_KILLED',
  'ER_QUERY_INTERRUPTED',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_FORCING_CLOSE',
  'ER_ABORTING_CONNECTION',
  'ER_NEW_ABORTING_CONNECTION',
  'ER_NET_READ_ERROR',
  'ER_NET_READ_INTERRUPTED',
  'ER_NET_ERROR_ON_WRITE',
  'ER_NET_WRITE_INTERRUPTED',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
]);

/** Messages without a code that drivers give for a connection that has just broken. */
const MESSAGES =
  /connection terminated|connection error and is not queryable|client was closed|closed state|connection lost|connection is closed|timeout exceeded when trying to connect|the database system is (starting up|shutting down)/i;
