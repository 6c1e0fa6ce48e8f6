import type { Kysely } from 'kysely';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import type { TrialLimit, TrialTemplate } from '../storage.js';
import { studyGone } from '../study-errors.js';
import { formatTime } from '../timestamps.js';
import { newTrialRecord } from '../trial-record.js';
import { insertTrial } from './insert-trial.js';
import { lockStudy } from './lock-study.js';
import type { Session } from './session.js';
import type { Tables } from './tables.js';
import { newToken, trialOfToken } from './token.js';

export interface Creation {
  readonly study: number;
  /** Absent: RUNNING from now on, and nothing else, which some databases store in one round trip. */
  readonly template?: TrialTemplate;
  readonly limit?: TrialLimit;
  /** The id of the last trial of the study that is known, from where to look for the newest. */
  readonly last: number;
}

/**
 * Stores a trial under its study's next number; null if the study has reached its limit of trials.
 *
 * @throws UserError when the study is gone.
 */
export async function createTrial(
  session: Session,
  { study, template, limit, last }: Creation,
): Promise<FrozenTrial | null> {
  const { context } = session;
  const { kind, url, trips } = context.database;
  const token = newToken();
  const start = { state: 'RUNNING', datetimeStart: Date.now() } as const;
  const created = await session.run((db, again) => {
    if (trips && !template && !limit && !again)
      return trips.startTrial({
        study,
        last,
        time: formatTime(start.datetimeStart, context.clock),
        beats: context.beats,
        token,
      });
    return db.transaction().execute(async (transaction) => {
      if (!(await lockStudy(transaction, kind, study))) return undefined;
      const stored = again && (await trialOfToken(transaction, token, last));
      if (stored) return stored;
      if (limit && (await countTrials(transaction, study, limit)) >= limit.most) return null;
      return insertTrial(transaction, context, { study, template: template ?? start, last, token });
    });
  });
  if (created === undefined) throw studyGone(study, url);
  return created && newTrialRecord(created.id, created.number, template ?? start);
}

async function countTrials(db: Kysely<Tables>, study: number, { states }: TrialLimit): Promise<number> {
  const { count } = await db
    .selectFrom('trials')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('study_id', '=', study)
    .where('state', 'in', states)
    .executeTakeFirstOrThrow();
  return Number(count);
}
