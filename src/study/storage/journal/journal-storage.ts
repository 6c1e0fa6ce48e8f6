import { randomUUID } from 'node:crypto';
import { toExternal } from '../../trials/distribution.js';
import type { Direction, FrozenTrial, Json } from '../../trials/frozen-trial.js';
import { distributionFromJson, distributionToJson } from '../distribution-json.js';
import {
  FinishedTrialError,
  type Storage,
  type TrialChanges,
  type TrialEnd,
  type TrialLimit,
  type TrialTemplate,
} from '../storage.js';
import { nameTaken, studyGone } from '../study-errors.js';
import { StudyTable } from '../study-table.js';
import type { Clock } from '../timestamps.js';
import { JournalFile } from './journal-file.js';
import {
  clockOfOp,
  DIRECTIONS,
  type JournalOp,
  type JournalTrial,
  journalTime,
  OP,
  parseJournalTime,
  STATES,
} from './journal-op.js';

/**
 * Studies in Optuna's journal file: every change is a line, and every process replays all lines into memory.
 *
 * It needs no server and works on NFS, where SQLite does not. Each change locks the file and waits for the disk;
 * heartbeats are not kept, so that a dead process's trials stay RUNNING. Dates are written as the journal has them.
 */
export class JournalStorage implements Storage {
  readonly url: string;
  readonly #file: JournalFile;
  readonly #table = new StudyTable();
  /** Which clock the journal's dates show, as its first one does. */
  #clock: Clock | undefined;
  readonly #worker = `${randomUUID()}-${process.pid}`;

  constructor(path: string) {
    this.url = `journal://${path}`;
    this.#file = new JournalFile(path, (op) => this.#apply(op));
    this.#file.readNew();
  }

  createStudy(name: string, directions: readonly Direction[]): Promise<number> {
    return this.#append(
      () => {
        if (this.#table.findStudy(name)) throw nameTaken(name, this.url);
        const numbers = directions.map((direction) => DIRECTIONS.lastIndexOf(direction));
        return [
          { op_code: OP.createStudy, study_name: name, directions: numbers.map((i) => Math.max(i, 1)) },
        ];
      },
      () => this.#table.findStudy(name)!.id,
    );
  }

  deleteStudy(study: number): Promise<void> {
    return this.#append(
      () => [{ op_code: OP.deleteStudy, study_id: study }],
      () => {},
    );
  }

  async findStudy(name: string) {
    this.#file.readNew();
    return this.#table.findStudy(name);
  }

  async studies() {
    this.#file.readNew();
    return this.#table.studies();
  }

  setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json): Promise<void> {
    return this.#append(
      () => [
        kind === 'user'
          ? { op_code: OP.setStudyUserAttr, study_id: study, user_attr: { [key]: value } }
          : { op_code: OP.setStudySystemAttr, study_id: study, system_attr: { [key]: value } },
      ],
      () => {},
    );
  }

  createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial> {
    return this.#append(
      () => [this.#creation(study, template)],
      ([trial]) => {
        if (!trial) throw studyGone(study, this.url);
        return trial as FrozenTrial;
      },
    );
  }

  createTrialWithin(study: number, limit: TrialLimit, template?: TrialTemplate): Promise<FrozenTrial | null> {
    return this.#append(
      () => (this.#table.isFull(study, limit) ? [] : [this.#creation(study, template)]),
      ([trial]) => (trial as FrozenTrial | undefined) ?? null,
    );
  }

  claimTrial(trial: number, time: number): Promise<boolean> {
    return this.#append(
      () => {
        if (this.#table.open(trial)?.state !== 'WAITING') return [];
        const state = STATES.indexOf('RUNNING');
        return [
          {
            op_code: OP.setTrialStateValues,
            trial_id: trial,
            state,
            values: null,
            datetime_start: this.#time(time),
          },
        ];
      },
      ([claimed]) => claimed === true,
    );
  }

  async readHeads(study: number, after: number, ids: readonly number[]) {
    this.#file.readNew();
    return this.#table.readHeads(study, after, ids);
  }

  async readTrials(ids: readonly number[]) {
    this.#file.readNew();
    return this.#table.readTrials(ids);
  }

  writeTrial(trial: number, changes: TrialChanges): Promise<void> {
    return this.#append(
      () => {
        if (!this.#table.open(trial)) throw new FinishedTrialError(trial);
        return changeOps(trial, changes);
      },
      () => {},
    );
  }

  finishTrial(trial: number, { state, values, time, changes = {}, successor }: TrialEnd): Promise<boolean> {
    return this.#append(
      () => {
        if (this.#table.open(trial)?.state !== 'RUNNING') return [];
        const end: JournalOp = {
          op_code: OP.setTrialStateValues,
          trial_id: trial,
          state: STATES.indexOf(state),
          values,
          datetime_complete: this.#time(time),
        };
        return [
          ...changeOps(trial, changes),
          end,
          ...(successor ? [this.#creation(successor.study, successor.template)] : []),
        ];
      },
      (results) => results.length > 0,
    );
  }

  async close() {
    this.#file.close();
  }

  /** Appends what `decide` makes of the newest state, applies it here, and answers from each line's result. */
  #append<T>(decide: () => readonly JournalOp[], answer: (results: readonly unknown[]) => T): Promise<T> {
    return this.#file.transact(() => decide().map((op) => ({ ...op, worker_id: this.#worker })), answer);
  }

  #creation(study: number, template?: TrialTemplate): JournalOp {
    const op = { op_code: OP.createTrial, study_id: study } as const;
    if (!template) return { ...op, datetime_start: this.#time(Date.now()) };
    const {
      state,
      values = null,
      datetimeStart,
      datetimeComplete,
      distributions = {},
      internalParams = {},
    } = template;
    const trial: JournalTrial = {
      state: STATES.indexOf(state),
      value: values?.length === 1 ? values[0]! : null,
      values: values && values.length > 1 ? values : null,
      datetime_start: datetimeStart ? this.#time(datetimeStart) : null,
      ...(datetimeComplete ? { datetime_complete: this.#time(datetimeComplete) } : {}),
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

  #time(time: number): string {
    return journalTime(time, this.#clock ?? 'utc');
  }

  /** Applies a line; one that the state of things forbids changes nothing, as in Optuna. */
  #apply(op: JournalOp): unknown {
    const table = this.#table;
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

function changeOps(
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
