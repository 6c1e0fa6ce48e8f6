import type { Generated } from 'kysely';
import type { TrialState } from '../../trials/frozen-trial.js';

/** Optuna's tables, revision v3.2.0.a, as Kysely sees them; a date is a string without a zone. */
export interface Tables {
  studies: { study_id: Generated<number>; study_name: string };
  study_directions: {
    study_direction_id: Generated<number>;
    direction: string;
    study_id: number;
    objective: number;
  };
  study_user_attributes: StudyAttributes & { study_user_attribute_id: Generated<number> };
  study_system_attributes: StudyAttributes & { study_system_attribute_id: Generated<number> };
  trials: {
    trial_id: Generated<number>;
    number: number;
    study_id: number;
    state: TrialState;
    datetime_start: string | null;
    datetime_complete: string | null;
  };
  trial_user_attributes: TrialAttributes & { trial_user_attribute_id: Generated<number> };
  trial_system_attributes: TrialAttributes & { trial_system_attribute_id: Generated<number> };
  trial_params: {
    param_id: Generated<number>;
    trial_id: number;
    param_name: string;
    param_value: number;
    distribution_json: string;
  };
  trial_values: {
    trial_value_id: Generated<number>;
    trial_id: number;
    objective: number;
    value: number | null;
    value_type: ValueType;
  };
  trial_intermediate_values: {
    trial_intermediate_value_id: Generated<number>;
    trial_id: number;
    step: number;
    intermediate_value: number | null;
    intermediate_value_type: ValueType;
  };
  trial_heartbeats: { trial_heartbeat_id: Generated<number>; trial_id: number; heartbeat: string };
  version_info: { version_info_id: Generated<number>; schema_version: number; library_version: string };
  alembic_version: { version_num: string };
}

interface StudyAttributes {
  study_id: number;
  key: string;
  value_json: string;
}

interface TrialAttributes {
  trial_id: number;
  key: string;
  value_json: string;
}

/** How a float column's row is to be read; NAN occurs only among intermediate values. */
export type ValueType = 'FINITE' | 'INF_POS' | 'INF_NEG' | 'NAN';

/** A float as the two columns that hold it: databases disagree about infinities and NaN, so those are NULL and named. */
export function splitFloat(x: number): { value: number | null; type: ValueType } {
  if (Number.isFinite(x)) return { value: x, type: 'FINITE' };
  return { value: null, type: Number.isNaN(x) ? 'NAN' : x > 0 ? 'INF_POS' : 'INF_NEG' };
}

/**
 * The float that the two columns hold.
 *
 * @throws TypeError when they hold something else.
 */
export function joinFloat(value: number | null, type: ValueType): number {
  switch (type) {
    case 'INF_POS':
      return Number.POSITIVE_INFINITY;
    case 'INF_NEG':
      return Number.NEGATIVE_INFINITY;
    case 'NAN':
      return Number.NaN;
    case 'FINITE':
      if (typeof value === 'number') return value;
  }
  throw new TypeError(`a value is ${value}, said to be ${type}`);
}
