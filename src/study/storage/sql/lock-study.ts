import type { Kysely } from 'kysely';
import type { Database } from './database.js';
import type { Tables } from './tables.js';

/** Whether the study exists; until the transaction ends no other process numbers a trial of it. */
export async function lockStudy(db: Kysely<Tables>, kind: Database['kind'], study: number): Promise<boolean> {
  const query = db.selectFrom('studies').select('study_id').where('study_id', '=', study);
  return (await (kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst()) !== undefined;
}
