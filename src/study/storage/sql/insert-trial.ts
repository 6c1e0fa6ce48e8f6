import type { Kysely } from 'kysely';
import { paramNames } from '../../trials/param-names.js';
import type { TrialTemplate } from '../storage.js';
import { formatTime } from '../timestamps.js';
import type { SqlContext } from './context.js';
import { firstBeat } from './heartbeats.js';
import { insertRow } from './insert-row.js';
import type { Tables } from './tables.js';
import { type NumberedTrial, TOKEN } from './token.js';
import { insertValues, writeChanges } from './write-changes.js';

export interface Insertion {
  readonly study: number;
  readonly template: TrialTemplate;
  /** The id of a known trial of the study, at which the search for the newest begins. */
  readonly last: number;
  /** Identifies the trial if the response is lost. */
  readonly token: string;
}

/** Stores a trial under its study's next number; the caller holds the transaction and the study's lock. */
export async function insertTrial(
  db: Kysely<Tables>,
  context: SqlContext,
  { study, template, last, token }: Insertion,
): Promise<NumberedTrial> {
  const { database, clock, beats } = context;
  const newest = (from: number) =>
    db
      .selectFrom('trials')
      .select('number')
      .where('study_id', '=', study)
      .where('trial_id', '>=', from)
      .orderBy('trial_id', 'desc')
      .limit(1)
      .executeTakeFirst();
  // SQLite gives the id of a deleted study to the next one, whose trials may have smaller ids than were known.
  const before = (await newest(last)) ?? (await newest(0));
  const number = before ? before.number + 1 : 0;
  const { state, datetimeStart, datetimeComplete, internalParams, distributions } = template;
  const id = await insertRow(db, database.kind, 'trials', 'trial_id', {
    number,
    study_id: study,
    state,
    datetime_start: datetimeStart ? formatTime(datetimeStart, clock) : null,
    datetime_complete: datetimeComplete ? formatTime(datetimeComplete, clock) : null,
  });
  if (state === 'RUNNING' && beats) await firstBeat(db, database, id);
  const stored = paramNames(distributions ?? {}).map(
    (name) => [name, { internal: internalParams![name]!, distribution: distributions![name]! }] as const,
  );
  // No connection to a file is lost, so that its trials need no token.
  const systemAttrs =
    database.kind === 'sqlite' ? template.systemAttrs : { ...template.systemAttrs, [TOKEN]: token };
  await writeChanges(db, context, id, { ...template, params: new Map(stored), systemAttrs });
  await insertValues(db, id, template.values ?? null);
  return { id, number };
}
