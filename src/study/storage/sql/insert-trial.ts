import type { Kysely } from 'kysely';
import { paramNames } from '../../trials/param-names.js';
import type { TrialTemplate } from '../storage.js';
import { type Clock, formatTime } from '../timestamps.js';
import type { Database } from './database.js';
import { firstBeat } from './heartbeats.js';
import type { Tables } from './tables.js';
import { TOKEN } from './token.js';
import { insertValues, type Written, writeChanges } from './write-changes.js';

export interface Numbered {
  readonly id: number;
  readonly number: number;
}

export interface Insertion {
  readonly written: Written;
  readonly study: number;
  readonly template: TrialTemplate;
  /** The id of a trial of the study, from where to look for the newest. */
  readonly last: number;
  readonly beats: boolean;
  readonly clock: Clock;
  /** To know the trial by where the answer may be lost; absent where it cannot be. */
  readonly token?: string;
}

/** Stores a trial under its study's next number; the caller holds the transaction and the study's lock. */
export async function insertTrial(
  db: Kysely<Tables>,
  database: Database,
  { written, study, template, last: from, beats, clock, token }: Insertion,
): Promise<Numbered> {
  const newest = (after: number) =>
    db
      .selectFrom('trials')
      .select('number')
      .where('study_id', '=', study)
      .where('trial_id', '>=', after)
      .orderBy('trial_id', 'desc')
      .limit(1)
      .executeTakeFirst();
  // SQLite gives the id of a deleted study to the next one, whose trials may have smaller ids than were known.
  const last = (await newest(from)) ?? (await newest(0));
  const number = last ? last.number + 1 : 0;
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
  const systemAttrs =
    token === undefined ? template.systemAttrs : { ...template.systemAttrs, [TOKEN]: token };
  await writeChanges(db, written, id, { ...template, params: new Map(stored), systemAttrs });
  await insertValues(db, id, template.values ?? null);
  return { id, number };
}

/** Whether the study is there; until the transaction ends no other numbers a trial of it. */
export async function lockStudy(db: Kysely<Tables>, kind: Database['kind'], study: number): Promise<boolean> {
  const query = db.selectFrom('studies').select('study_id').where('study_id', '=', study);
  return (await (kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst()) !== undefined;
}

/** The trial of a study that was stored, or claimed, with this token. */
export function trialOfToken(db: Kysely<Tables>, token: string, from: number): Promise<Numbered | undefined> {
  return db
    .selectFrom('trial_system_attributes as attribute')
    .innerJoin('trials', 'trials.trial_id', 'attribute.trial_id')
    .select(['trials.trial_id as id', 'trials.number'])
    .where('attribute.trial_id', '>=', from)
    .where('attribute.key', '=', TOKEN)
    .where('attribute.value_json', '=', JSON.stringify(token))
    .executeTakeFirst();
}

/** Inserts one row and returns its key. */
export async function insertRow(
  db: Kysely<Tables>,
  kind: Database['kind'],
  table: 'studies' | 'trials',
  key: string,
  row: Record<string, string | number | null>,
): Promise<number> {
  const rows = db as unknown as Kysely<Record<string, Record<string, string | number | null>>>;
  const query = rows.insertInto(table).values(row);
  if (kind !== 'postgresql') return Number((await query.executeTakeFirstOrThrow()).insertId);
  return Number((await query.returning(key).executeTakeFirstOrThrow())[key]);
}
