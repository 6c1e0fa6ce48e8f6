import { databaseError } from './connection-error.js';
import { isLostConnection } from './lost-connection.js';
import { retry } from './retry.js';

/** Milliseconds that a starting server may take before it accepts connections. */
const PATIENCE = 10_000;

/**
 * Makes the first connection to a server, to learn early whether it can be used.
 *
 * @throws UserError when no server answers, or it refuses the user or the database.
 */
export async function firstConnection(url: string, connect: () => Promise<unknown>): Promise<void> {
  const explain = (error: unknown) => databaseError(url, error);
  const isLost = (error: unknown) => isLostConnection(error) && !nobodyAnswers(error);
  await retry(connect, { url, isTransient: () => false, isLost, explain }, PATIENCE);
}

function nobodyAnswers(error: unknown): boolean {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const { code, message } = first as { code?: string; message: string };
  return NOBODY.includes(String(code)) || /timeout/i.test(message);
}

const NOBODY = ['ECONNREFUSED', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EAI_AGAIN'];
