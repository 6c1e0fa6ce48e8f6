import { type CompiledQuery, type Kysely, type RawBuilder, sql } from 'kysely';
import { filled, inlined, slot } from './slots.js';
import type { Tables } from './tables.js';
import { TOKEN } from './token.js';
import type { Start } from './trips.js';

/** The index of the statement that returns the trial. */
export const ANSWER = 3;

const STUDY = slot<number>('study');

/**
 * PostgreSQL's statements that number and store a new trial, as one message, which takes no parameters.
 *
 * Each statement sees what was committed before it, so the one that numbers the trial sees all trials from before the
 * lock. The commit does not wait for the disk (synchronous_commit off): a crash of the server may undo it, as long as
 * nothing else of the trial was stored. Everything later waits.
 */
export function startMessage(db: Kysely<Tables>, now: RawBuilder<string>): (start: Start) => string {
  const lock = db
    .selectFrom('studies')
    .select('study_id')
    .where('study_id', '=', STUDY)
    .forUpdate()
    .compile();
  const silent = insertion(db).selectFrom('trial').select(['trial_id as id', 'number']).compile();
  const beating = insertion(db)
    .with('beat', (cte) =>
      cte
        .insertInto('trial_heartbeats')
        .columns(['trial_id', 'heartbeat'])
        .expression(({ selectFrom }) => selectFrom('trial').select(['trial_id', now.as('heartbeat')])),
    )
    .selectFrom('trial')
    .select(['trial_id as id', 'number'])
    .compile();
  return (start) => {
    const values = { ...start, json: JSON.stringify(start.token) };
    const text = (statement: CompiledQuery) => inlined(filled(statement, values));
    const insert = start.beats ? beating : silent;
    return `begin; set local synchronous_commit = off; ${text(lock)}; ${text(insert)}; commit`;
  };
}

/**
 * Inserts the trial, numbered after the newest, with its token, unless a trial has that token: a message whose connection
 * was lost may reach the study after the one that was sent in its place.
 */
function insertion(db: Kysely<Tables>) {
  const stored = db
    .selectFrom('trial_system_attributes')
    .select('trial_id')
    .where('trial_id', '>=', slot<number>('last'))
    .where('key', '=', sql.lit(TOKEN))
    .where('value_json', '=', slot<string>('json'));
  const newest = db
    .selectFrom('trials')
    .select('number')
    .where('study_id', '=', STUDY)
    .orderBy('trial_id', 'desc')
    .limit(sql.lit(1));
  return db
    .with('trial', (cte) =>
      cte
        .insertInto('trials')
        .columns(['number', 'study_id', 'state', 'datetime_start'])
        .expression(({ selectFrom, fn }) => {
          const last = fn.coalesce(newest.where('trial_id', '>=', slot<number>('last')), newest, sql.lit(-1));
          return selectFrom('studies')
            .select([
              sql<number>`${last} + 1`.as('number'),
              'study_id',
              sql.lit('RUNNING' as const).as('state'),
              sql.val(slot<string>('time')).as('datetime_start'),
            ])
            .where('study_id', '=', STUDY)
            .where(({ not, exists }) => not(exists(stored)));
        })
        .returning(['trial_id', 'number']),
    )
    .with('token', (cte) =>
      cte
        .insertInto('trial_system_attributes')
        .columns(['trial_id', 'key', 'value_json'])
        .expression(({ selectFrom }) =>
          selectFrom('trial').select([
            'trial_id',
            sql.lit(TOKEN).as('key'),
            sql.val(slot<string>('json')).as('value_json'),
          ]),
        ),
    );
}
