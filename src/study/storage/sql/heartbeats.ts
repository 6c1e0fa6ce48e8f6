import type { Kysely } from 'kysely';
import { chunked } from './chunked.js';
import type { Database } from './database.js';
import type { Tables } from './tables.js';

/** A RUNNING trial's first beat; the caller holds the transaction. */
export async function firstBeat(db: Kysely<Tables>, { kind, now }: Database, trial: number): Promise<void> {
  const insert = db.insertInto('trial_heartbeats').values({ trial_id: trial, heartbeat: now });
  await (kind === 'mysql'
    ? insert.onDuplicateKeyUpdate({ heartbeat: now })
    : insert.onConflict((conflict) => conflict.column('trial_id').doUpdateSet({ heartbeat: now }))
  ).execute();
}

/** The next beat of trials that have had one. */
export async function beat({ db, now }: Database, trials: readonly number[]): Promise<void> {
  await chunked(trials, async (chunk) => {
    await db.updateTable('trial_heartbeats').set({ heartbeat: now }).where('trial_id', 'in', chunk).execute();
    return [];
  });
}

/** The given trials that are RUNNING without a heartbeat for `grace` seconds, by the database's clock. */
export async function readStale(
  { db, secondsSince }: Database,
  trials: readonly number[],
  grace: number,
): Promise<number[]> {
  const rows = await chunked(trials, (chunk) =>
    db
      .selectFrom('trials')
      .innerJoin('trial_heartbeats', 'trials.trial_id', 'trial_heartbeats.trial_id')
      .select('trials.trial_id as id')
      .where('trials.trial_id', 'in', chunk)
      .where('state', '=', 'RUNNING')
      .where(secondsSince('trial_heartbeats.heartbeat'), '>', grace)
      .execute(),
  );
  return rows.map(({ id }) => id);
}
