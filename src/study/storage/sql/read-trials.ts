import type { Kysely } from 'kysely';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { parsePythonJson } from '../../trials/python-json.js';
import { setOwn } from '../../trials/set-own.js';
import { distributionFromJson } from '../distribution-json.js';
import { type Clock, parseTime } from '../timestamps.js';
import { newTrialRecord, setParam, type TrialRecord } from '../trial-record.js';
import { damaged } from './damaged.js';
import { joinFloat, type Tables } from './tables.js';
import { TOKEN } from './token.js';

/**
 * Whole trials by id, in order of id; ids without a trial are left out.
 *
 * States are read first and the rest after, so that a trial that reads as finished has everything it ended with.
 *
 * @throws UserError when a row holds what no version writes: the database is damaged.
 */
export async function readTrials(
  db: Kysely<Tables>,
  ids: readonly number[],
  clock: Clock,
  url: string,
): Promise<FrozenTrial[]> {
  const trials = new Map<number, TrialRecord>();
  const each: EachRow = (rows, read) => {
    for (const row of rows) {
      const trial = trials.get(row.trial_id);
      try {
        if (trial) read(trial, row);
      } catch (error) {
        throw damaged(url, `trial ${trial?.number} (id ${row.trial_id})`, error);
      }
    }
  };
  await readHeads(db, ids, clock, trials, each);
  await readParams(db, ids, each);
  await readValues(db, ids, each);
  await readIntermediateValues(db, ids, each);
  await readAttributes(db, ids, each);
  return [...trials.values()];
}

/** Reads rows into their trials; rows of a trial that was made after the heads were read are left out. */
type EachRow = <R extends { trial_id: number }>(
  rows: readonly R[],
  read: (trial: TrialRecord, row: R) => void,
) => void;

async function readHeads(
  db: Kysely<Tables>,
  ids: readonly number[],
  clock: Clock,
  trials: Map<number, TrialRecord>,
  each: EachRow,
): Promise<void> {
  const heads = await db
    .selectFrom('trials')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('trial_id')
    .execute();
  for (const { trial_id, number, state } of heads)
    trials.set(trial_id, newTrialRecord(trial_id, number, { state, datetimeStart: null }));
  each(heads, (trial, { number, state, datetime_start, datetime_complete }) => {
    checkHead(number, state);
    trial.datetimeStart = parseTime(datetime_start, clock);
    trial.datetimeComplete = parseTime(datetime_complete, clock);
  });
}

async function readParams(db: Kysely<Tables>, ids: readonly number[], each: EachRow): Promise<void> {
  const params = await db
    .selectFrom('trial_params')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('param_id')
    .execute();
  each(params, (trial, { param_name, param_value, distribution_json }) => {
    if (typeof param_value !== 'number') throw new TypeError(`parameter ${param_name} is ${param_value}`);
    setParam(trial, param_name, param_value, distributionFromJson(distribution_json));
  });
}

async function readValues(db: Kysely<Tables>, ids: readonly number[], each: EachRow): Promise<void> {
  const values = await db
    .selectFrom('trial_values')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('objective')
    .execute();
  each(values, (trial, { value, value_type }) => {
    trial.values = [...(trial.values ?? []), joinFloat(value, value_type)];
  });
}

async function readIntermediateValues(
  db: Kysely<Tables>,
  ids: readonly number[],
  each: EachRow,
): Promise<void> {
  const steps = await db
    .selectFrom('trial_intermediate_values')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('trial_intermediate_value_id')
    .execute();
  each(steps, ({ intermediateValues }, { step, intermediate_value, intermediate_value_type }) => {
    if (!Number.isInteger(step)) throw new TypeError(`a step is ${step}`);
    intermediateValues.set(step, joinFloat(intermediate_value, intermediate_value_type));
  });
}

async function readAttributes(db: Kysely<Tables>, ids: readonly number[], each: EachRow): Promise<void> {
  for (const kind of ['user', 'system'] as const) {
    const attributes = await db
      .selectFrom(`trial_${kind}_attributes`)
      .selectAll()
      .where('trial_id', 'in', ids)
      .execute();
    each(attributes, (trial, { key, value_json }) => {
      if (key !== TOKEN) setOwn(trial[`${kind}Attrs`], key, parsePythonJson(value_json));
    });
  }
}

function checkHead(number: unknown, state: string): void {
  if (!Number.isInteger(number)) throw new TypeError(`its number is ${number}`);
  if (!['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'].includes(state))
    throw new TypeError(`its state is ${state}`);
}
