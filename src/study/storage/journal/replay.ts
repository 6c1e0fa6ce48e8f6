import { toExternal } from '../../trials/distribution.js';
import type { Json } from '../../trials/frozen-trial.js';
import { distributionFromJson } from '../distribution-json.js';
import type { TrialTemplate } from '../storage.js';
import type { StudyTable } from '../study-table.js';
import type { Clock } from '../timestamps.js';
import {
  clockOfOp,
  DIRECTIONS,
  type JournalOp,
  type JournalTrial,
  OP,
  parseJournalTime,
  STATES,
} from './journal-op.js';

/** Applies the lines of a journal to a table, in order. */
export class Replay {
  #clock: Clock | undefined;

  constructor(private readonly table: StudyTable) {}

  /** Which clock the journal's dates show, as its first one does; UTC before there is one. */
  get clock(): Clock {
    return this.#clock ?? 'utc';
  }

  /** Applies a line; one that the current state forbids changes nothing, as in Optuna. */
  apply(op: JournalOp): unknown {
    const { table } = this;
    this.#clock ??= clockOfOp(op);
    switch (op.op_code) {
      case OP.createStudy:
        return table.createStudy(
          op.study_name,
          op.directions.map((number) => DIRECTIONS[number] ?? 'minimize'),
        );
      case OP.deleteStudy:
        return table.deleteStudy(op.study_id);
      case OP.setStudyUserAttr:
        return setAttrs(op.user_attr, (key, value) => table.setStudyAttr(op.study_id, 'user', key, value));
      case OP.setStudySystemAttr:
        return setAttrs(op.system_attr, (key, value) =>
          table.setStudyAttr(op.study_id, 'system', key, value),
        );
      case OP.createTrial:
        return table.createTrial(op.study_id, templateOf(op));
      case OP.setTrialParam: {
        const stored = {
          internal: op.param_value_internal,
          distribution: distributionFromJson(op.distribution),
        };
        return table.writeTrial(op.trial_id, { params: new Map([[op.param_name, stored]]) });
      }
      case OP.setTrialStateValues: {
        const state = STATES[op.state];
        if (state === 'RUNNING')
          return table.claimTrial(op.trial_id, parseJournalTime(op.datetime_start) ?? 0);
        if (state === 'WAITING' || state === undefined) return false;
        const values = op.values ?? table.open(op.trial_id)?.values ?? null;
        return table.finishTrial(op.trial_id, {
          state,
          values,
          time: parseJournalTime(op.datetime_complete) ?? 0,
        });
      }
      case OP.setTrialIntermediateValue:
        return table.writeTrial(op.trial_id, {
          intermediateValues: new Map([[op.step, op.intermediate_value]]),
        });
      case OP.setTrialUserAttr:
        return table.writeTrial(op.trial_id, { userAttrs: op.user_attr });
      case OP.setTrialSystemAttr:
        return table.writeTrial(op.trial_id, { systemAttrs: op.system_attr });
      default:
        return false;
    }
  }
}

function setAttrs(
  attrs: Readonly<Record<string, Json>>,
  set: (key: string, value: Json) => boolean,
): boolean {
  return Object.entries(attrs).every(([key, value]) => set(key, value));
}

function templateOf(op: Partial<JournalTrial>): TrialTemplate {
  const distributions = Object.fromEntries(
    Object.entries(op.distributions ?? {}).map(([name, text]) => [name, distributionFromJson(text)]),
  );
  const internalParams = op.params ?? {};
  for (const name of Object.keys(internalParams))
    if (!Object.hasOwn(distributions, name))
      throw new TypeError(`parameter ${JSON.stringify(name)} has no distribution`);
  return {
    state: STATES[op.state ?? 0] ?? 'FAIL',
    values: op.values ?? (op.value === null || op.value === undefined ? null : [op.value]),
    distributions,
    internalParams,
    params: Object.fromEntries(
      Object.entries(internalParams).map(([name, internal]) => [
        name,
        toExternal(distributions[name]!, internal),
      ]),
    ),
    intermediateValues: new Map(
      Object.entries(op.intermediate_values ?? {}).map(([step, value]) => [Number(step), value]),
    ),
    userAttrs: op.user_attrs ?? {},
    systemAttrs: op.system_attrs ?? {},
    datetimeStart: parseJournalTime(op.datetime_start),
    datetimeComplete: parseJournalTime(op.datetime_complete),
  };
}
