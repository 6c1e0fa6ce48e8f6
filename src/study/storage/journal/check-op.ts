import { type JournalOp, OP, parseJournalTime, STATES } from './journal-op.js';

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const number: Check = (value) => typeof value === 'number';
const text: Check = (value) => typeof value === 'string';
const integer: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const record: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const time: Check = (value) => text(value) && !Number.isNaN(parseJournalTime(value as string));
const state: Check = (value) => integer(value) && (value as number) < STATES.length;
const direction: Check = (value) => integer(value) && (value as number) <= 2;
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const recordOf =
  (check: Check): Check =>
  (value) =>
    record(value) && Object.values(value as object).every(check);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

const attrs = (scope: string, name: string): Fields => ({ [scope]: integer, [name]: record });

/** The required fields of each operation; other fields are free. */
const FIELDS: Readonly<Record<number, Fields>> = {
  [OP.createStudy]: { study_name: text, directions: listOf(direction) },
  [OP.deleteStudy]: { study_id: integer },
  [OP.setStudyUserAttr]: attrs('study_id', 'user_attr'),
  [OP.setStudySystemAttr]: attrs('study_id', 'system_attr'),
  [OP.createTrial]: {
    study_id: integer,
    state: maybe(state),
    value: maybe(number),
    values: maybe(listOf(number)),
    datetime_start: maybe(time),
    datetime_complete: maybe(time),
    distributions: maybe(recordOf(text)),
    params: maybe(recordOf(number)),
    user_attrs: maybe(record),
    system_attrs: maybe(record),
    intermediate_values: maybe(
      (value) => recordOf(number)(value) && Object.keys(value as object).every((key) => /^\d+$/.test(key)),
    ),
  },
  [OP.setTrialParam]: {
    trial_id: integer,
    param_name: text,
    param_value_internal: number,
    distribution: text,
  },
  [OP.setTrialStateValues]: {
    trial_id: integer,
    state,
    values: maybe(listOf(number)),
    datetime_start: maybe(time),
    datetime_complete: maybe(time),
  },
  [OP.setTrialIntermediateValue]: { trial_id: integer, step: integer, intermediate_value: number },
  [OP.setTrialUserAttr]: attrs('trial_id', 'user_attr'),
  [OP.setTrialSystemAttr]: attrs('trial_id', 'system_attr'),
};

/**
 * Validates a line's JSON as an operation.
 *
 * @throws TypeError saying which field is not as Optuna writes it.
 */
export function checkOp(value: unknown): JournalOp {
  if (!record(value)) throw new TypeError('it is not an object');
  const op = value as Readonly<Record<string, unknown>>;
  const fields = integer(op.op_code) ? FIELDS[op.op_code as number] : undefined;
  if (!fields) throw new TypeError(`its op_code is ${JSON.stringify(op.op_code)}`);
  for (const [name, check] of Object.entries(fields))
    if (!check(op[name])) throw new TypeError(`its ${name} is ${JSON.stringify(op[name])?.slice(0, 40)}`);
  return op as unknown as JournalOp;
}
