import type { Direction, Json } from '../../trials/frozen-trial.js';
import { distributionToJson } from '../distribution-json.js';
import type { TrialChanges, TrialEnd, TrialTemplate } from '../storage.js';
import type { Clock } from '../timestamps.js';
import { DIRECTIONS, type JournalOp, type JournalTrial, journalTime, OP, STATES } from './journal-op.js';

/** The line of a new study. */
export function createStudyOp(name: string, directions: readonly Direction[]): JournalOp {
  const numbers = directions.map((direction) => DIRECTIONS.lastIndexOf(direction));
  return { op_code: OP.createStudy, study_name: name, directions: numbers.map((i) => Math.max(i, 1)) };
}

/** The line of a study's attribute. */
export function studyAttrOp(study: number, kind: 'user' | 'system', key: string, value: Json): JournalOp {
  return kind === 'user'
    ? { op_code: OP.setStudyUserAttr, study_id: study, user_attr: { [key]: value } }
    : { op_code: OP.setStudySystemAttr, study_id: study, system_attr: { [key]: value } };
}

/** The line of a new trial; without a template it is RUNNING from now on. */
export function createTrialOp(study: number, template: TrialTemplate | undefined, clock: Clock): JournalOp {
  const op = { op_code: OP.createTrial, study_id: study } as const;
  if (!template) return { ...op, datetime_start: journalTime(Date.now(), clock) };
  const {
    values = null,
    datetimeStart,
    datetimeComplete,
    distributions = {},
    internalParams = {},
  } = template;
  const trial: JournalTrial = {
    state: STATES.indexOf(template.state),
    value: values?.length === 1 ? values[0]! : null,
    values: values && values.length > 1 ? values : null,
    datetime_start: datetimeStart ? journalTime(datetimeStart, clock) : null,
    ...(datetimeComplete ? { datetime_complete: journalTime(datetimeComplete, clock) } : {}),
    distributions: Object.fromEntries(
      Object.entries(distributions).map(([name, d]) => [name, distributionToJson(d)]),
    ),
    params: internalParams,
    user_attrs: template.userAttrs ?? {},
    system_attrs: template.systemAttrs ?? {},
    intermediate_values: Object.fromEntries(template.intermediateValues ?? []),
  };
  return { ...op, ...trial };
}

/** The line that makes a WAITING trial RUNNING. */
export function claimOp(trial: number, time: number, clock: Clock): JournalOp {
  return {
    op_code: OP.setTrialStateValues,
    trial_id: trial,
    state: STATES.indexOf('RUNNING'),
    values: null,
    datetime_start: journalTime(time, clock),
  };
}

/** The line of a trial's end. */
export function endOp(
  trial: number,
  { state, values, time }: Pick<TrialEnd, 'state' | 'values' | 'time'>,
  clock: Clock,
): JournalOp {
  return {
    op_code: OP.setTrialStateValues,
    trial_id: trial,
    state: STATES.indexOf(state),
    values,
    datetime_complete: journalTime(time, clock),
  };
}

/** The lines of additions to a trial. */
export function changeOps(
  trial: number,
  { params, intermediateValues, userAttrs, systemAttrs }: TrialChanges,
): JournalOp[] {
  const entries = (attrs: Readonly<Record<string, Json>> = {}) => Object.entries(attrs);
  return [
    ...[...(params ?? [])].map(
      ([name, { internal, distribution }]): JournalOp => ({
        op_code: OP.setTrialParam,
        trial_id: trial,
        param_name: name,
        param_value_internal: internal,
        distribution: distributionToJson(distribution),
      }),
    ),
    ...[...(intermediateValues ?? [])].map(
      ([step, intermediate_value]): JournalOp => ({
        op_code: OP.setTrialIntermediateValue,
        trial_id: trial,
        step,
        intermediate_value,
      }),
    ),
    ...entries(userAttrs).map(
      ([key, value]): JournalOp => ({
        op_code: OP.setTrialUserAttr,
        trial_id: trial,
        user_attr: { [key]: value },
      }),
    ),
    ...entries(systemAttrs).map(
      ([key, value]): JournalOp => ({
        op_code: OP.setTrialSystemAttr,
        trial_id: trial,
        system_attr: { [key]: value },
      }),
    ),
  ];
}
