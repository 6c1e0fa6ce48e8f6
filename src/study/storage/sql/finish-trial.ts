import type { Kysely } from 'kysely';
import type { TrialEnd } from '../storage.js';
import { formatTime } from '../timestamps.js';
import type { SqlContext } from './context.js';
import { insertTrial } from './insert-trial.js';
import { lockStudy } from './lock-study.js';
import { readTrials } from './read-trials.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';
import { newToken } from './token.js';
import { insertValues, writeChanges } from './write-changes.js';

/**
 * Ends a RUNNING trial; false when it had ended before.
 *
 * @param last the id of the last trial of the successor's study that is known
 */
export function finishTrial(session: Session, trial: number, end: TrialEnd, last: number): Promise<boolean> {
  const { context } = session;
  const { trips } = context.database;
  const { state, values, changes, successor } = end;
  const complete = formatTime(end.time, context.clock);
  const token = newToken();

  const finish = async (db: Kysely<Tables>): Promise<boolean> => {
    if (successor) await lockStudy(db, context.database.kind, successor.study);
    const { numUpdatedRows } = await db
      .updateTable('trials')
      .set({ state, datetime_complete: complete })
      .where('trial_id', '=', trial)
      .where('state', '=', 'RUNNING')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    if (changes) await writeChanges(db, context, trial, changes);
    await insertValues(db, trial, values);
    if (successor) await insertTrial(db, context, { ...successor, last, token });
    return true;
  };

  return session.run(async (db, again) => {
    const finished =
      trips && !successor
        ? await trips.finishTrial(trial, { state, time: complete, changes: changes ?? {}, values })
        : await db.transaction().execute(finish);
    return finished || (again && (await hasEnded(db, context, trial, end)));
  });
}

/** Whether the trial ended exactly so: this process stored it, and the response was lost. */
async function hasEnded(
  db: Kysely<Tables>,
  { database, clock }: SqlContext,
  trial: number,
  { state, values, time }: TrialEnd,
): Promise<boolean> {
  const [stored] = await readTrials(db, [trial], clock, database.url);
  if (stored?.state !== state) return false;
  // MySQL keeps whole seconds, rounded or cut.
  if (Math.abs((stored.datetimeComplete ?? 0) - time) > 1000) return false;
  const [before, now] = [stored.values ?? [], values ?? []];
  return before.length === now.length && before.every((value, i) => Object.is(value, now[i]));
}
