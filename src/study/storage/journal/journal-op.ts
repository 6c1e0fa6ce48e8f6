import type { Direction, Json, TrialState } from '../../trials/frozen-trial.js';
import { floatText, toPythonJson } from '../../trials/python-json.js';
import { type Clock, formatTime } from '../timestamps.js';

/** The operations of Optuna's journal, by their numbers. */
export const OP = {
  createStudy: 0,
  deleteStudy: 1,
  setStudyUserAttr: 2,
  setStudySystemAttr: 3,
  createTrial: 4,
  setTrialParam: 5,
  setTrialStateValues: 6,
  setTrialIntermediateValue: 7,
  setTrialUserAttr: 8,
  setTrialSystemAttr: 9,
} as const;

type Attrs = Readonly<Record<string, Json>>;

/** One line of the journal. Ids are not written: a study's and a trial's is the order of the creating lines. */
export type JournalOp = { readonly worker_id?: string } & (
  | {
      readonly op_code: typeof OP.createStudy;
      readonly study_name: string;
      readonly directions: readonly number[];
    }
  | { readonly op_code: typeof OP.deleteStudy; readonly study_id: number }
  | { readonly op_code: typeof OP.setStudyUserAttr; readonly study_id: number; readonly user_attr: Attrs }
  | { readonly op_code: typeof OP.setStudySystemAttr; readonly study_id: number; readonly system_attr: Attrs }
  | ({ readonly op_code: typeof OP.createTrial; readonly study_id: number } & Partial<JournalTrial>)
  | {
      readonly op_code: typeof OP.setTrialParam;
      readonly trial_id: number;
      readonly param_name: string;
      readonly param_value_internal: number;
      readonly distribution: string;
    }
  | {
      readonly op_code: typeof OP.setTrialStateValues;
      readonly trial_id: number;
      readonly state: number;
      readonly values: readonly number[] | null;
      readonly datetime_start?: string;
      readonly datetime_complete?: string;
    }
  | {
      readonly op_code: typeof OP.setTrialIntermediateValue;
      readonly trial_id: number;
      readonly step: number;
      readonly intermediate_value: number;
    }
  | { readonly op_code: typeof OP.setTrialUserAttr; readonly trial_id: number; readonly user_attr: Attrs }
  | { readonly op_code: typeof OP.setTrialSystemAttr; readonly trial_id: number; readonly system_attr: Attrs }
);

/** A trial that is stored unchanged. */
export interface JournalTrial {
  readonly state: number;
  readonly value: number | null;
  readonly values: readonly number[] | null;
  readonly datetime_start: string | null;
  /** Absent, not null, where the trial has not ended: Optuna reads whatever is there. */
  readonly datetime_complete?: string;
  readonly distributions: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, number>>;
  readonly user_attrs: Attrs;
  readonly system_attrs: Attrs;
  readonly intermediate_values: Readonly<Record<string, number>>;
}

/** Fields that hold floats, which Python must not read as ints. */
const FLOATS: ReadonlySet<string> = new Set<
  keyof JournalTrial | 'param_value_internal' | 'intermediate_value'
>(['value', 'values', 'params', 'intermediate_values', 'param_value_internal', 'intermediate_value']);

/** The operation's line. */
export function opToJson(op: JournalOp): string {
  const fields = Object.entries(op as Readonly<Record<string, Json | undefined>>).flatMap(([name, value]) =>
    value === undefined ? [] : `"${name}": ${toPythonJson(value, FLOATS.has(name) ? floatText : undefined)}`,
  );
  return `{${fields.join(', ')}}`;
}

/** States by their numbers. */
export const STATES: readonly TrialState[] = ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'];

/** A direction's number is its place here; NOT_SET (0) counts as minimize. */
export const DIRECTIONS: readonly Direction[] = ['minimize', 'minimize', 'maximize'];

/**
 * ISO 8601: in UTC with its offset, as Optuna 5 writes it and 4.x can read it, or in local time without one, as 4.x
 * writes it, which cannot compare the two.
 */
export function journalTime(time: number, clock: Clock): string {
  const text = formatTime(time, clock).replace(' ', 'T');
  return clock === 'utc' ? `${text}+00:00` : text;
}

/** The clock of a journal with this operation, if it tells. */
export function clockOfOp(op: object): Clock | undefined {
  const { datetime_start: start, datetime_complete: complete } = op as Partial<Record<string, string | null>>;
  const text = start ?? complete;
  return text ? (/(Z|[+-]\d\d:\d\d)$/.test(text) ? 'utc' : 'local') : undefined;
}

/** Milliseconds since 1970; a text without an offset is local time. */
export function parseJournalTime(text: string | null | undefined): number | null {
  return text ? new Date(text.replace(/(\.\d{3})\d+/, '$1')).getTime() : null;
}
