import { UserError } from '../../../base/errors.js';
import { oneLine } from '../../../base/printable.js';

/** The error for a database with contents that no version writes. */
export function damaged(url: string, what: string, cause: unknown): UserError {
  const { message } = cause as Error;
  return new UserError(
    `${url}: ${what} cannot be read (${oneLine(message)}); the database is damaged: restore it from a copy, or use another`,
    { url },
    { cause },
  );
}
