import { UserError } from '../../../base/errors.js';
import { withoutPassword } from './without-password.js';

/** The error for a server that cannot be used, with the fix; other errors are returned unchanged. */
export function databaseError(url: string, error: unknown): unknown {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  if (first instanceof URIError)
    return databaseError(url, { code: 'ERR_INVALID_URL', message: first.message });
  const { code, message } = first as { code?: string; message: string };
  const fix =
    FIXES[String(code)] ??
    (/connect\w* timeout|timeout .*connect/i.test(message) ? FIXES.ECONNREFUSED : undefined);
  if (!fix) return error;
  return new UserError(`${withoutPassword(url)}: ${fix} (${message})`, { code }, { cause: error });
}

const FIXES: Readonly<Record<string, string>> = {
  ERR_INVALID_URL:
    'expected a URL such as scheme://user:password@host:5432/database, with a % in it written %25',
  ECONNREFUSED: 'no database server answers; start it, or check host and port',
  ENOTFOUND: 'the host is unknown; check its name',
  EAI_AGAIN: 'the host name cannot be resolved now; check the network',
  ETIMEDOUT: 'no database server answers; check host, port and firewall',
  ECONNRESET: 'the server ended the connection; check that it runs and that no firewall cuts it',
  EHOSTUNREACH: 'the host cannot be reached; check the network',
  ENETUNREACH: 'the host cannot be reached; check the network',
  ENOENT: 'the server’s socket is missing; start the server, or check the path',
  '28000': 'the server refuses this user; check the user name',
  '28P01': 'the server refuses the password',
  '42501': 'the server refuses this user that; grant it the rights',
  '3D000': 'the database is missing; create it, or check its name',
  ER_ACCESS_DENIED_ERROR: 'the server refuses this user or password',
  ER_ACCESS_DENIED_NO_PASSWORD_ERROR: 'the server refuses this user without a password',
  ER_DBACCESS_DENIED_ERROR: 'the server refuses this user that database',
  ER_BAD_DB_ERROR: 'the database is missing; create it, or check its name',
};
