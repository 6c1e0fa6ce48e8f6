import type { TrialChanges } from '../storage.js';
import type { Session } from './session.js';
import { writeChanges } from './write-changes.js';

/** Adds to a trial that has not ended; false if it has. */
export function writeTrial(session: Session, trial: number, changes: TrialChanges): Promise<boolean> {
  const { context } = session;
  const { trips, kind } = context.database;
  if (trips) return session.run(() => trips.writeTrial(trial, changes));
  return session.transaction(async (db) => {
    const query = db.selectFrom('trials').select('state').where('trial_id', '=', trial);
    const row = await (kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst();
    if (row?.state !== 'RUNNING' && row?.state !== 'WAITING') return false;
    await writeChanges(db, context, trial, changes);
    return true;
  });
}
