import type { Kysely } from 'kysely';
import type { TrialHead } from '../storage.js';
import { chunked } from './chunked.js';
import type { Tables } from './tables.js';

/** Heads of the study's trials whose id is above `after`, and of those listed, by id. */
export async function readHeads(
  db: Kysely<Tables>,
  study: number,
  after: number,
  ids: readonly number[],
): Promise<TrialHead[]> {
  const query = db.selectFrom('trials').select(['trial_id as id', 'number', 'state']).orderBy('trial_id');
  const heads = await chunked(ids, (chunk) => query.where('trial_id', 'in', chunk).execute());
  const later = await query.where('study_id', '=', study).where('trial_id', '>', after).execute();
  const knownIds = new Set(ids);
  return [...heads, ...later.filter(({ id }) => !knownIds.has(id))];
}
