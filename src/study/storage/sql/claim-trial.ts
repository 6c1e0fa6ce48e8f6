import { formatTime } from '../timestamps.js';
import { firstBeat } from './heartbeats.js';
import type { Session } from './session.js';
import { newToken, TOKEN, trialOfToken } from './token.js';
import { writeChanges } from './write-changes.js';

/** Makes a WAITING trial RUNNING from `time` on; false when another process was faster. */
export function claimTrial(session: Session, trial: number, time: number): Promise<boolean> {
  const { context } = session;
  const { database, clock, beats } = context;
  const token = newToken();
  return session.transaction(async (db, again) => {
    const { numUpdatedRows } = await db
      .updateTable('trials')
      .set({ state: 'RUNNING', datetime_start: formatTime(time, clock) })
      .where('trial_id', '=', trial)
      .where('state', '=', 'WAITING')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return again && (await trialOfToken(db, token, trial))?.id === trial;
    if (database.kind !== 'sqlite')
      await writeChanges(db, context, trial, { systemAttrs: { [TOKEN]: token } });
    if (beats) await firstBeat(db, database, trial);
    return true;
  });
}
