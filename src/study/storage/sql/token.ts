import { randomUUID } from 'node:crypto';

/**
 * The system attribute by which a process knows a trial that it stored or claimed when the connection was lost before
 * the answer came. It shows in the database, and to Optuna, but is no part of the trial here.
 */
export const TOKEN = 'millrace:token';

export function newToken(): string {
  return randomUUID();
}
