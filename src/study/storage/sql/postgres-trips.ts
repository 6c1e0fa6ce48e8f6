import {
  type CompiledQuery,
  type Kysely,
  type QueryCreator,
  type RawBuilder,
  type SelectQueryBuilder,
  sql,
} from 'kysely';
import type { TrialState } from '../../trials/frozen-trial.js';
import { type Column, type Rows, rowsOf } from './postgres-columns.js';
import { ANSWER, startMessage } from './postgres-start.js';
import { filled, slot } from './slots.js';
import type { Tables } from './tables.js';
import type { NumberedTrial } from './token.js';
import type { Trips } from './trips.js';

/** The part of a node-postgres pool that is used; its types are not part of the package. */
interface Pool {
  query(text: string, values: unknown[]): Promise<{ rows: readonly unknown[] }>;
  connect(): Promise<{ query(text: string): Promise<unknown>; release(): void }>;
}

/** A statement's database with the one trial that it changes, seen by all its parts. */
type WithTrial = Tables & { readonly trial: { readonly trial_id: number } };

/** PostgreSQL's shortcuts: statements that change several tables at once, whose parts see the same trial locked. */
export function postgresTrips(pool: Pool, db: Kysely<Tables>, now: RawBuilder<string>): Trips {
  const message = startMessage(db, now);
  const heads = { locked: lockedTrial(db), ended: endedTrial(db) };
  const statements = new Map<string, CompiledQuery>();

  /** Inserts rows for the one trial that the head selects, if it does. */
  const store = async (head: keyof typeof heads, values: object, rows: readonly Rows[]): Promise<boolean> => {
    const key = [head, ...rows.map(({ table }) => table)].join();
    const statement = statements.get(key) ?? insertions(heads[head], rows).compile();
    statements.set(key, statement);
    const columns = rows.flatMap(({ table, columns }) =>
      columns.map(({ name, values }) => [slotName(table, name), values] as const),
    );
    const { sql: text, parameters } = filled(statement, { ...values, ...Object.fromEntries(columns) });
    const { rows: stored } = await pool.query(text, [...parameters]);
    return stored.length > 0;
  };

  return {
    async startTrial(start) {
      const client = await pool.connect();
      try {
        const results = (await client.query(message(start))) as { rows: NumberedTrial[] }[];
        return results[ANSWER]!.rows[0];
      } catch (error) {
        // On a connection that was lost this fails in its own way, and there is nothing to roll back.
        await client.query('rollback').catch(() => {});
        throw error;
      } finally {
        client.release();
      }
    },
    writeTrial: (trial, changes) => store('locked', { trial }, rowsOf(changes, null)),
    finishTrial: (trial, { state, time, changes, values }) =>
      store('ended', { trial, state, time }, rowsOf(changes, values)),
  };
}

function lockedTrial(db: Kysely<Tables>): QueryCreator<WithTrial> {
  return db.with('trial', (cte) =>
    cte
      .selectFrom('trials')
      .select('trial_id')
      .where('trial_id', '=', slot<number>('trial'))
      .where('state', 'in', [sql.lit('RUNNING' as const), sql.lit('WAITING' as const)])
      .forUpdate(),
  );
}

function endedTrial(db: Kysely<Tables>): QueryCreator<WithTrial> {
  return db.with('trial', (cte) =>
    cte
      .updateTable('trials')
      .set({ state: slot<TrialState>('state'), datetime_complete: slot<string>('time') })
      .where('trial_id', '=', slot<number>('trial'))
      .where('state', '=', sql.lit('RUNNING' as const))
      .returning('trial_id'),
  );
}

/** The head with an insertion into each of the tables, whose rows are left to slots. */
function insertions(head: QueryCreator<WithTrial>, rows: readonly Rows[]) {
  let statement = head;
  for (const each of rows)
    statement = statement.with(`new_${each.table}`, (cte) => upsert(cte, each)) as QueryCreator<WithTrial>;
  return statement.selectFrom('trial').select('trial_id');
}

function upsert(cte: QueryCreator<WithTrial>, { table, columns }: Rows) {
  const [key, ...others] = columns;
  const names = columns.map(({ name }) => name);
  const untyped = cte as unknown as QueryCreator<Record<string, Record<string, unknown>>>;
  return untyped
    .insertInto(table)
    .columns(['trial_id', ...names])
    .expression(
      ({ selectFrom }) =>
        selectFrom(['trial', unnested(table, columns)])
          .select([
            'trial.trial_id',
            ...columns.map(({ name, type }) => sql`${sql.ref(`u.${name}`)}::${sql.raw(type)}`.as(name)),
          ])
          .orderBy('u.place') as SelectQueryBuilder<Record<string, Record<string, unknown>>, string, object>,
    )
    .onConflict((conflict) =>
      conflict
        .columns(['trial_id', key.name])
        .doUpdateSet(({ ref }) =>
          Object.fromEntries(others.map(({ name }) => [name, ref(`excluded.${name}`)])),
        ),
    );
}

/** Columns as a table `u` with a `place`, each sent as one array, however many rows there are. */
function unnested(table: string, columns: readonly Column[]) {
  const arrays = columns.map(({ name, type }) => {
    // A value's type is an enumeration, of which there is no array to send.
    const parameterType = type.endsWith('type') ? 'text' : type;
    return sql`${slot(slotName(table, name))}::${sql.raw(parameterType)}[]`;
  });
  const names = [...columns.map(({ name }) => name), 'place'].map((name) => sql.id(name));
  return sql<Record<string, unknown>>`unnest(${sql.join(arrays)}) with ordinality`.as<'u'>(
    sql`u(${sql.join(names)})`,
  );
}

function slotName(table: string, column: string): string {
  return `${table}.${column}`;
}
