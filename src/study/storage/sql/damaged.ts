import { UserError } from '../../../base/errors.js';

/** The error for a database whose contents no version wrote. */
export function damaged(url: string, what: string, cause: unknown): UserError {
  const { message } = cause as Error;
  return new UserError(
    `${url}: ${what} cannot be read (${message}); the database is damaged: restore it from a copy, or use another`,
    { url },
    { cause },
  );
}
