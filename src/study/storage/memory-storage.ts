import type { Direction, FrozenTrial, Json } from '../trials/frozen-trial.js';
import {
  FinishedTrialError,
  type Storage,
  type TrialChanges,
  type TrialEnd,
  type TrialLimit,
  type TrialTemplate,
} from './storage.js';
import { nameTaken, studyGone } from './study-errors.js';
import { StudyTable } from './study-table.js';

/** Studies that live as long as this process: the default of `createStudy`, and the fastest. */
export class MemoryStorage implements Storage {
  readonly url = 'memory://';
  readonly #table = new StudyTable();

  async createStudy(name: string, directions: readonly Direction[]) {
    const id = this.#table.createStudy(name, directions);
    if (id === null) throw nameTaken(name, this.url);
    return id;
  }

  async deleteStudy(study: number) {
    this.#table.deleteStudy(study);
  }

  async findStudy(name: string) {
    return this.#table.findStudy(name);
  }

  async studies() {
    return this.#table.studies();
  }

  async setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json) {
    if (!this.#table.setStudyAttr(study, kind, key, value)) throw studyGone(study, this.url);
  }

  async createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial> {
    const trial = this.#table.createTrial(study, template);
    if (!trial) throw studyGone(study, this.url);
    return trial;
  }

  async createTrialWithin(study: number, limit: TrialLimit, template?: TrialTemplate) {
    return this.#table.isFull(study, limit) ? null : this.createTrial(study, template);
  }

  async claimTrial(trial: number, time: number) {
    return this.#table.claimTrial(trial, time);
  }

  async readHeads(study: number, after: number, ids: readonly number[]) {
    return this.#table.readHeads(study, after, ids);
  }

  async readTrials(ids: readonly number[]) {
    return this.#table.readTrials(ids);
  }

  async writeTrial(trial: number, changes: TrialChanges) {
    if (!this.#table.writeTrial(trial, changes)) throw new FinishedTrialError(trial);
  }

  async finishTrial(trial: number, end: TrialEnd) {
    return this.#table.finishTrial(trial, end);
  }

  async close() {}
}
