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
 * Whole trials by id, in order of id; those that are gone are left out.
 *
 * States are read first and the rest after, so that a trial that reads as finished has all that it ended with.
 *
 * @throws UserError when a row holds what nobody wrote: the database is damaged.
 */
export async function readTrials(
  db: Kysely<Tables>,
  ids: readonly number[],
  clock: Clock,
  url: string,
): Promise<FrozenTrial[]> {
  const heads = await db
    .selectFrom('trials')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('trial_id')
    .execute();
  const trials = new Map<number, TrialRecord>();
  /** Reads rows into their trials; those of a trial that came later than the heads are left out. */
  const each = <R extends { trial_id: number }>(
    rows: readonly R[],
    read: (trial: TrialRecord, row: R) => void,
  ) => {
    for (const row of rows) {
      const trial = trials.get(row.trial_id);
      try {
        if (trial) read(trial, row);
      } catch (error) {
        throw damaged(url, `trial ${trial?.number} (id ${row.trial_id})`, error);
      }
    }
  };
  for (const { trial_id, number, state, datetime_start, datetime_complete } of heads) {
    trials.set(trial_id, newTrialRecord(trial_id, number, { state, datetimeStart: null }));
    each([{ trial_id }], (trial) => {
      checkHead(number, state);
      trial.datetimeStart = parseTime(datetime_start, clock);
      trial.datetimeComplete = parseTime(datetime_complete, clock);
    });
  }

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

  const values = await db
    .selectFrom('trial_values')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('objective')
    .execute();
  each(values, (trial, { value, value_type }) => {
    trial.values = [...(trial.values ?? []), joinFloat(value, value_type)];
  });

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
  return [...trials.values()];
}

function checkHead(number: unknown, state: string): void {
  if (!Number.isInteger(number)) throw new TypeError(`its number is ${number}`);
  if (!['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'].includes(state))
    throw new TypeError(`its state is ${state}`);
}
