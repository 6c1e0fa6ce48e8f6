import { UserError } from '../../../base/errors.js';
import type { Database } from './database.js';

/** Milliseconds of failures during which the work is retried. */
const LONGEST_WAIT = 60_000;
/** The longest pause between two tries, after a busy lock and after a lost connection. */
const LOCK_PAUSE = 100;
export const CONNECTION_PAUSE = 2000;

/**
 * Retries `work` while it fails because of a busy lock or a lost connection, for at most a minute, with growing
 * random pauses, so that the losers of one collision do not collide again.
 *
 * Work whose connection was lost may have been stored all the same: `again` is then true, and it must find out before
 * it does anything twice.
 *
 * @throws UserError when the server stays away or the lock taken.
 */
export async function retry<T>(
  work: (again: boolean) => Promise<T>,
  { url, isTransient, isLost, explain }: Pick<Database, 'url' | 'isTransient' | 'isLost' | 'explain'>,
  longest = LONGEST_WAIT,
): Promise<T> {
  let end: number | undefined;
  let again = false;
  for (let pause = 2; ; pause *= 2) {
    try {
      return await work(again);
    } catch (error) {
      const answerLost = isLost(error);
      if (!answerLost && !isTransient(error)) throw explain(error);
      end ??= Date.now() + longest;
      if (Date.now() > end) throw gaveUp(url, answerLost, longest / 1000, error);
      if (answerLost && !again) pause = 25;
      again ||= answerLost;
      const most = answerLost ? CONNECTION_PAUSE : LOCK_PAUSE;
      await new Promise((done) => setTimeout(done, Math.min(pause, most) * Math.random()));
    }
  }
}

function gaveUp(url: string, answerLost: boolean, seconds: number, cause: unknown): UserError {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  const { code, message } = first as { code?: string; message: string };
  const what = answerLost
    ? `the connection was lost, and the server gave no other for ${seconds} s; check that it runs, and begin again`
    : `the database stayed locked for ${seconds} s; see which process holds it, and start again`;
  return new UserError(`${url}: ${what} (${message})`, { url, code }, { cause });
}
