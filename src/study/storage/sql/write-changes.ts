import type { Kysely } from 'kysely';
import { UserError } from '../../../base/errors.js';
import type { Json } from '../../trials/frozen-trial.js';
import { toPythonJson } from '../../trials/python-json.js';
import { distributionToJson } from '../distribution-json.js';
import type { TrialChanges } from '../storage.js';
import type { SqlContext } from './context.js';
import { splitFloat, type Tables } from './tables.js';

/** The most rows of one statement: SQLite binds at most 32,766 values, and MariaDB takes 16 MiB at once. */
const ROWS = 200;

type TrialTable =
  | 'trial_params'
  | 'trial_intermediate_values'
  | 'trial_user_attributes'
  | 'trial_system_attributes';

/**
 * Writes additions to a trial; the caller holds the transaction.
 *
 * @throws UserError when the database takes a name for another one, which would be overwritten.
 */
export async function writeChanges(
  db: Kysely<Tables>,
  { database: { kind }, folds }: SqlContext,
  trial: number,
  { params, intermediateValues, userAttrs, systemAttrs }: TrialChanges,
): Promise<void> {
  const upsert = async (table: TrialTable, key: readonly string[], rows: readonly Row[]) => {
    for (let i = 0; i < rows.length; i += ROWS)
      await upsertRows(db, kind, table, key, rows.slice(i, i + ROWS));
    const name = key[1]!;
    const names = rows.map((row) => row[name] as string);
    if (folds && name !== 'step') await checkStored(db, table, trial, name, names);
  };
  await upsert(
    'trial_params',
    ['trial_id', 'param_name'],
    [...(params ?? [])].map(([param_name, { internal, distribution }]) => ({
      trial_id: trial,
      param_name,
      param_value: internal,
      distribution_json: distributionToJson(distribution),
    })),
  );
  await upsert(
    'trial_intermediate_values',
    ['trial_id', 'step'],
    [...(intermediateValues ?? [])].map(([step, x]) => {
      const { value, type } = splitFloat(x);
      return { trial_id: trial, step, intermediate_value: value, intermediate_value_type: type };
    }),
  );
  await upsert('trial_user_attributes', ['trial_id', 'key'], attributes(trial, userAttrs));
  await upsert('trial_system_attributes', ['trial_id', 'key'], attributes(trial, systemAttrs));
}

/** Inserts rows, or updates those whose key exists. */
async function upsertRows(
  db: Kysely<Tables>,
  kind: SqlContext['database']['kind'],
  table: TrialTable,
  key: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const columns = Object.keys(rows[0] as Row).filter((column) => !key.includes(column));
  const insert = (db as unknown as Kysely<Record<string, Row>>).insertInto(table).values(rows);
  const upsert =
    kind === 'mysql'
      ? insert.onDuplicateKeyUpdate(({ fn, ref }) =>
          Object.fromEntries(columns.map((name) => [name, fn('values', [ref(name)])])),
        )
      : insert.onConflict((conflict) =>
          conflict
            .columns(key)
            .doUpdateSet(({ ref }) =>
              Object.fromEntries(columns.map((name) => [name, ref(`excluded.${name}`)])),
            ),
        );
  await upsert.execute();
}

/** Writes the values of a trial that has none yet. */
export async function insertValues(
  db: Kysely<Tables>,
  trial: number,
  values: readonly number[] | null,
): Promise<void> {
  if (!values?.length) return;
  const rows = values.map((x, objective) => {
    const { value, type } = splitFloat(x);
    return { trial_id: trial, objective, value, value_type: type };
  });
  await db.insertInto('trial_values').values(rows).execute();
}

/** Reads the names back: a name that the database confused with another one is missing. */
async function checkStored(
  db: Kysely<Tables>,
  table: TrialTable,
  trial: number,
  column: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const rows = await (db as unknown as Kysely<Record<string, Row>>)
    .selectFrom(table)
    .select(column)
    .where('trial_id', '=', trial)
    .execute();
  const stored = new Set(rows.map((row) => row[column]));
  for (const name of names) if (!stored.has(name)) throw takenForAnother(name);
}

export function takenForAnother(name: string): UserError {
  return new UserError(
    `"${name}": this database takes it for another name that is in use; its collation does not tell them apart ` +
      '(upper and lower case, accents, or blanks at the end): give it another name',
    { name },
  );
}

type Row = Record<string, string | number | null>;

function attributes(trial: number, attrs: Readonly<Record<string, Json>> = {}): Row[] {
  return Object.entries(attrs).map(([key, value]) => ({
    trial_id: trial,
    key,
    value_json: toPythonJson(value),
  }));
}
