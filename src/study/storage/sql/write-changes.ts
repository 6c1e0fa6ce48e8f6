import type { Kysely } from 'kysely';
import type { Json } from '../../frozen-trial.js';
import { distributionToJson } from '../distribution-json.js';
import { toPythonJson } from '../python-json.js';
import type { TrialChanges } from '../storage.js';
import type { Database } from './database.js';
import { splitFloat, type Tables } from './tables.js';

/** Writes what was added to a trial, one statement a table; the caller holds the transaction. */
export async function writeChanges(
  db: Kysely<Tables>,
  kind: Database['kind'],
  trial: number,
  { params, intermediateValues, userAttrs, systemAttrs }: TrialChanges,
): Promise<void> {
  const upsert = async (table: keyof Tables, key: readonly string[], rows: Row[]) => {
    if (rows.length === 0) return;
    const columns = Object.keys(rows[0] as Row).filter((column) => !key.includes(column));
    const insert = (db as unknown as Kysely<Record<string, Row>>).insertInto(table).values(rows);
    if (kind === 'mysql') {
      await insert
        .onDuplicateKeyUpdate(({ fn, ref }) =>
          Object.fromEntries(columns.map((name) => [name, fn('values', [ref(name)])])),
        )
        .execute();
    } else {
      await insert
        .onConflict((conflict) =>
          conflict
            .columns(key)
            .doUpdateSet(({ ref }) =>
              Object.fromEntries(columns.map((name) => [name, ref(`excluded.${name}`)])),
            ),
        )
        .execute();
    }
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

/** Writes a trial's values, which it has none of yet. */
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

type Row = Record<string, string | number | null>;

function attributes(trial: number, attrs: Readonly<Record<string, Json>> = {}): Row[] {
  return Object.entries(attrs).map(([key, value]) => ({
    trial_id: trial,
    key,
    value_json: toPythonJson(value),
  }));
}
