import type { Kysely } from 'kysely';
import type { Tables } from './tables.js';

const TRIAL_TABLES = [
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
  'trial_values',
  'trial_intermediate_values',
  'trial_heartbeats',
] as const;

const STUDY_TABLES = [
  'trials',
  'study_directions',
  'study_user_attributes',
  'study_system_attributes',
  'studies',
] as const;

/** Removes a study's rows from all tables; the caller holds the transaction. */
export async function deleteRows(db: Kysely<Tables>, study: number): Promise<void> {
  const trials = db.selectFrom('trials').select('trial_id').where('study_id', '=', study);
  for (const table of TRIAL_TABLES) await db.deleteFrom(table).where('trial_id', 'in', trials).execute();
  for (const table of STUDY_TABLES) await db.deleteFrom(table).where('study_id', '=', study).execute();
}
