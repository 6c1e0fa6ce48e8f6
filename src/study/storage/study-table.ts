import { UserError } from '../../base/errors.js';
import { type Direction, type FrozenTrial, isFinished, type Json } from '../trials/frozen-trial.js';
import { setOwn } from '../trials/set-own.js';
import type { StudyRecord, TrialChanges, TrialEnd, TrialHead, TrialLimit, TrialTemplate } from './storage.js';
import { applyChanges, endRecord, newTrialRecord, type TrialRecord } from './trial-record.js';

interface StudyRow extends StudyRecord {
  readonly trials: TrialRecord[];
}

/**
 * Studies and trials in memory: the contents of the in-memory storage, and of a replayed journal.
 *
 * Study and trial ids are the order of creation from 0, over all studies, as in Optuna's journal. Each method
 * returns false where the state of things forbids the change.
 */
export class StudyTable {
  readonly #studies = new Map<number, StudyRow>();
  readonly #byName = new Map<string, StudyRow>();
  readonly #trials: TrialRecord[] = [];
  #nextStudy = 0;

  /** The new study's id, or null when the name is taken. */
  createStudy(name: string, directions: readonly Direction[]): number | null {
    if (this.#byName.has(name)) return null;
    const row: StudyRow = {
      id: this.#nextStudy++,
      name,
      directions,
      userAttrs: {},
      systemAttrs: {},
      trials: [],
    };
    this.#studies.set(row.id, row);
    this.#byName.set(name, row);
    return row.id;
  }

  deleteStudy(id: number): boolean {
    const row = this.#studies.get(id);
    if (!row) return false;
    this.#studies.delete(id);
    this.#byName.delete(row.name);
    for (const trial of row.trials) delete this.#trials[trial.id];
    return true;
  }

  findStudy(name: string): StudyRecord | undefined {
    return this.#byName.get(name);
  }

  studies(): readonly StudyRecord[] {
    return [...this.#studies.values()];
  }

  setStudyAttr(id: number, kind: 'user' | 'system', key: string, value: Json): boolean {
    const row = this.#studies.get(id);
    if (!row) return false;
    const attrs = kind === 'user' ? row.userAttrs : row.systemAttrs;
    setOwn(attrs as Record<string, Json>, key, value);
    return true;
  }

  createTrial(study: number, template?: TrialTemplate): TrialRecord | null {
    const row = this.#studies.get(study);
    if (!row) return null;
    const trial = newTrialRecord(this.#trials.length, row.trials.length, template);
    row.trials.push(trial);
    this.#trials.push(trial);
    return trial;
  }

  isFull(study: number, { states, most }: TrialLimit): boolean {
    const { trials } = this.#study(study);
    return trials.reduce((sum, { state }) => sum + Number(states.includes(state)), 0) >= most;
  }

  claimTrial(id: number, time: number): boolean {
    const trial = this.#trials[id];
    if (trial?.state !== 'WAITING') return false;
    trial.state = 'RUNNING';
    trial.datetimeStart = time;
    return true;
  }

  /** The trials are found by number from the end, so that reading what is new costs no more than that. */
  readHeads(study: number, after: number, ids: readonly number[]): TrialHead[] {
    const fresh: TrialHead[] = [];
    const { trials } = this.#study(study);
    for (let i = trials.length - 1; i >= 0 && (trials[i] as TrialRecord).id > after; i--)
      fresh.push(head(trials[i]!));
    const heads = ids.flatMap((id) => (id <= after && this.#trials[id] ? [head(this.#trials[id])] : []));
    return [...heads, ...fresh.reverse()];
  }

  readTrials(ids: readonly number[]): FrozenTrial[] {
    return ids.flatMap((id) => this.#trials[id] ?? []);
  }

  /** The trial, if it can still change. */
  open(id: number): TrialRecord | null {
    const trial = this.#trials[id];
    return trial && !isFinished(trial.state) ? trial : null;
  }

  writeTrial(id: number, changes: TrialChanges): boolean {
    const trial = this.open(id);
    if (trial) applyChanges(trial, changes);
    return trial !== null;
  }

  finishTrial(id: number, { state, values, time, changes, successor }: TrialEnd): boolean {
    const trial = this.open(id);
    if (trial?.state !== 'RUNNING') return false;
    if (changes) applyChanges(trial, changes);
    endRecord(trial, state, values, time);
    if (successor) this.createTrial(successor.study, successor.template);
    return true;
  }

  #study(id: number): StudyRow {
    const row = this.#studies.get(id);
    if (!row) throw new UserError(`study with id ${id} is gone: it was deleted`, { id });
    return row;
  }
}

function head({ id, number, state }: FrozenTrial): TrialHead {
  return { id, number, state };
}
