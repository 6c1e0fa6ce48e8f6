import type { Kysely } from 'kysely';
import type { FrozenTrial } from '../../frozen-trial.js';
import { setOwn } from '../../set-own.js';
import { distributionFromJson } from '../distribution-json.js';
import { parsePythonJson } from '../python-json.js';
import { newTrialRecord, setParam, type TrialRecord } from '../trial-record.js';
import { joinFloat, type Tables } from './tables.js';
import { type Clock, parseTime } from './timestamps.js';

/**
 * Whole trials by id, in order of id; those that are gone are left out.
 *
 * States are read first and the rest after, so that a trial that reads as finished has all that it ended with.
 */
export async function readTrials(
  db: Kysely<Tables>,
  ids: readonly number[],
  clock: Clock,
): Promise<FrozenTrial[]> {
  const heads = await db
    .selectFrom('trials')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('trial_id')
    .execute();
  const trials = new Map<number, TrialRecord>();
  for (const { trial_id, number, state, datetime_start, datetime_complete } of heads) {
    const datetimeStart = parseTime(datetime_start, clock);
    const datetimeComplete = parseTime(datetime_complete, clock);
    trials.set(trial_id, newTrialRecord(trial_id, number, { state, datetimeStart, datetimeComplete }));
  }

  const params = await db
    .selectFrom('trial_params')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('param_id')
    .execute();
  for (const { trial_id, param_name, param_value, distribution_json } of params) {
    const trial = trials.get(trial_id);
    if (!trial) continue;
    setParam(trial, param_name, param_value, distributionFromJson(distribution_json));
  }

  const values = await db
    .selectFrom('trial_values')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('objective')
    .execute();
  for (const { trial_id, value, value_type } of values) {
    const trial = trials.get(trial_id);
    if (trial) trial.values = [...(trial.values ?? []), joinFloat(value, value_type)];
  }

  const steps = await db
    .selectFrom('trial_intermediate_values')
    .selectAll()
    .where('trial_id', 'in', ids)
    .orderBy('trial_intermediate_value_id')
    .execute();
  for (const { trial_id, step, intermediate_value, intermediate_value_type } of steps) {
    trials
      .get(trial_id)
      ?.intermediateValues.set(step, joinFloat(intermediate_value, intermediate_value_type));
  }

  for (const kind of ['user', 'system'] as const) {
    const attributes = await db
      .selectFrom(`trial_${kind}_attributes`)
      .selectAll()
      .where('trial_id', 'in', ids)
      .execute();
    for (const { trial_id, key, value_json } of attributes) {
      const trial = trials.get(trial_id);
      if (trial) setOwn(trial[`${kind}Attrs`], key, parsePythonJson(value_json));
    }
  }
  return [...trials.values()];
}
