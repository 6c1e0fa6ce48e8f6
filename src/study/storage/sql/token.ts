import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from './tables.js';

export interface NumberedTrial {
  readonly id: number;
  readonly number: number;
}

/**
 * The system attribute that identifies a trial that this process stored or claimed, if the connection was lost before
 * the response. It shows in the database, and to Optuna, but is no part of the trial here.
 */
export const TOKEN = 'millrace:token';

export function newToken(): string {
  return randomUUID();
}

/**
 * The trial that was stored, or claimed, with this token.
 *
 * @param from the id from where to look for it
 */
export function trialOfToken(
  db: Kysely<Tables>,
  token: string,
  from: number,
): Promise<NumberedTrial | undefined> {
  return db
    .selectFrom('trial_system_attributes as attribute')
    .innerJoin('trials', 'trials.trial_id', 'attribute.trial_id')
    .select(['trials.trial_id as id', 'trials.number'])
    .where('attribute.trial_id', '>=', from)
    .where('attribute.key', '=', TOKEN)
    .where('attribute.value_json', '=', JSON.stringify(token))
    .executeTakeFirst();
}
