import { randomUUID } from 'node:crypto';
import type { Direction, FrozenTrial, Json } from '../../trials/frozen-trial.js';
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
import { JournalFile } from './journal-file.js';
import { type JournalOp, OP } from './journal-op.js';
import { Replay } from './replay.js';
import { changeOps, claimOp, createStudyOp, createTrialOp, endOp, studyAttrOp } from './write-ops.js';

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
  readonly #replay = new Replay(this.#table);
  readonly #worker = `${randomUUID()}-${process.pid}`;

  constructor(path: string) {
    this.url = `journal://${path}`;
    this.#file = new JournalFile(path, (op) => this.#replay.apply(op));
    try {
      this.#file.readNew();
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  createStudy(name: string, directions: readonly Direction[]): Promise<number> {
    return this.#append(
      () => {
        if (this.#table.findStudy(name)) throw nameTaken(name, this.url);
        return [createStudyOp(name, directions)];
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
      () => [studyAttrOp(study, kind, key, value)],
      () => {},
    );
  }

  createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial> {
    return this.#append(
      () => [createTrialOp(study, template, this.#replay.clock)],
      ([trial]) => {
        if (!trial) throw studyGone(study, this.url);
        return trial as FrozenTrial;
      },
    );
  }

  createTrialWithin(study: number, limit: TrialLimit, template?: TrialTemplate): Promise<FrozenTrial | null> {
    return this.#append(
      () => (this.#table.isFull(study, limit) ? [] : [createTrialOp(study, template, this.#replay.clock)]),
      ([trial]) => (trial as FrozenTrial | undefined) ?? null,
    );
  }

  claimTrial(trial: number, time: number): Promise<boolean> {
    return this.#append(
      () => (this.#table.open(trial)?.state === 'WAITING' ? [claimOp(trial, time, this.#replay.clock)] : []),
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

  finishTrial(trial: number, end: TrialEnd): Promise<boolean> {
    const { changes = {}, successor } = end;
    return this.#append(
      () => {
        if (this.#table.open(trial)?.state !== 'RUNNING') return [];
        const { clock } = this.#replay;
        const next = successor ? [createTrialOp(successor.study, successor.template, clock)] : [];
        return [...changeOps(trial, changes), endOp(trial, end, clock), ...next];
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
}
