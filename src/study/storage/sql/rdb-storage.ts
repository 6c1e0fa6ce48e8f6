import type { Direction, FrozenTrial, Json } from '../../trials/frozen-trial.js';
import {
  FinishedTrialError,
  type Heartbeat,
  type Storage,
  type StorageLimits,
  type StudyRecord,
  type TrialChanges,
  type TrialEnd,
  type TrialHead,
  type TrialLimit,
  type TrialTemplate,
} from '../storage.js';
import { clockOf } from '../timestamps.js';
import { chunked } from './chunked.js';
import { claimTrial } from './claim-trial.js';
import { type Creation, createTrial } from './create-trial.js';
import type { Database } from './database.js';
import { deleteRows } from './delete-study.js';
import { finishTrial } from './finish-trial.js';
import { Heart } from './heart.js';
import { readStale } from './heartbeats.js';
import { insertStudy } from './insert-study.js';
import { readHeads } from './read-heads.js';
import { allStudies, studyOfName } from './read-studies.js';
import { readTrials } from './read-trials.js';
import { CONNECTION_PAUSE, retry } from './retry.js';
import { Session } from './session.js';
import { writeStudyAttr } from './write-study-attr.js';
import { writeTrial } from './write-trial.js';

/**
 * Studies in a relational database, in the tables of Optuna (revision v3.2.0.a), which Optuna, its dashboard and
 * other processes may use at the same time.
 *
 * A trial is numbered under the lock of its study's row (on SQLite, of the file), so that numbers have no gaps
 * and ids rise in the order of creation.
 *
 * A connection to a server may be lost at any moment: what was under way is done again on another one, once, even
 * where it had been stored and only the answer was lost.
 */
export class RdbStorage implements Storage {
  readonly url: string;
  readonly heartbeat?: Heartbeat;
  readonly limits: StorageLimits;
  readonly #heart?: Heart;
  readonly #session: Session;
  /** The id of the last known trial of each study: the search for a newer one begins there. */
  readonly #last = new Map<number, number>();

  private constructor(
    private readonly database: Database,
    libraryVersion: string,
    fold: StorageLimits['fold'],
    heartbeat: Heartbeat | undefined,
  ) {
    this.url = database.url;
    this.limits = { ...database.limits, ...(fold ? { fold } : {}) };
    // Nobody else sees a database in memory, so that nothing has to show its trials alive.
    const beats = heartbeat !== undefined && database.reopen !== undefined;
    const clock = clockOf(libraryVersion);
    this.#session = new Session({ database, clock, folds: fold !== undefined, beats });
    if (!beats) return;
    this.heartbeat = heartbeat;
    this.#heart = new Heart(database.reopen, heartbeat.interval, (message) =>
      process.emitWarning(message, { type: 'StudyWarning', code: 'heartbeat' }),
    );
  }

  /**
   * Opens the tables of a database; see `openStorage`.
   *
   * @internal
   * @throws UserError when the tables are of another revision, or some of them are missing.
   */
  static async open(database: Database, heartbeat?: Heartbeat): Promise<RdbStorage> {
    try {
      const { prepareSchema } = await import('./schema.js');
      const version = await retry(() => prepareSchema(database), database);
      const fold = await retry(async () => database.folding?.(), database);
      return new RdbStorage(database, version, fold, heartbeat);
    } catch (error) {
      await database.db.destroy().catch(() => {});
      throw error;
    }
  }

  createStudy(name: string, directions: readonly Direction[]): Promise<number> {
    return insertStudy(this.#session, name, directions);
  }

  async deleteStudy(study: number): Promise<void> {
    this.#last.delete(study);
    await this.#session.transaction((db) => deleteRows(db, study));
  }

  findStudy(name: string): Promise<StudyRecord | undefined> {
    return this.#session.run((db) => studyOfName(db, name, this.url));
  }

  studies(): Promise<readonly StudyRecord[]> {
    return this.#session.run((db) => allStudies(db, this.url));
  }

  setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json): Promise<void> {
    return writeStudyAttr(this.#session, study, kind, key, value);
  }

  async createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial> {
    return (await this.#create({ study, ...(template ? { template } : {}) }))!;
  }

  createTrialWithin(study: number, limit: TrialLimit, template?: TrialTemplate): Promise<FrozenTrial | null> {
    return this.#create({ study, limit, ...(template ? { template } : {}) });
  }

  async #create(creation: Omit<Creation, 'last'>): Promise<FrozenTrial | null> {
    const { study, template } = creation;
    if (!template || template.state === 'RUNNING') await this.#heart?.ready();
    const trial = await createTrial(this.#session, { ...creation, last: this.#last.get(study) ?? 0 });
    if (trial) this.#last.set(study, trial.id);
    return trial;
  }

  async claimTrial(trial: number, time: number): Promise<boolean> {
    await this.#heart?.ready();
    return claimTrial(this.#session, trial, time);
  }

  async readHeads(study: number, after: number, ids: readonly number[]): Promise<TrialHead[]> {
    const heads = await this.#session.run((db) => readHeads(db, study, after, ids));
    const last = heads.at(-1);
    if (last && last.id > (this.#last.get(study) ?? -1)) this.#last.set(study, last.id);
    return heads;
  }

  readTrials(ids: readonly number[]): Promise<FrozenTrial[]> {
    const { clock } = this.#session.context;
    return this.#session.run((db) => chunked(ids, (chunk) => readTrials(db, chunk, clock, this.url)));
  }

  async writeTrial(trial: number, changes: TrialChanges): Promise<void> {
    if (!(await writeTrial(this.#session, trial, changes))) throw new FinishedTrialError(trial);
  }

  finishTrial(trial: number, end: TrialEnd): Promise<boolean> {
    const last = end.successor ? (this.#last.get(end.successor.study) ?? 0) : 0;
    return finishTrial(this.#session, trial, end, last);
  }

  startBeating(trial: number): void {
    this.#heart?.begin(trial);
  }

  stopBeating(trial: number): void {
    this.#heart?.end(trial);
  }

  async staleTrials(ids: readonly number[]): Promise<readonly number[]> {
    const { heartbeat } = this;
    if (!heartbeat) return [];
    // After an outage each heart needs a moment to beat again.
    if (Date.now() - this.#session.lastLoss < heartbeat.interval * 1000 + CONNECTION_PAUSE) return [];
    return this.#session.run(() => readStale(this.database, ids, heartbeat.grace));
  }

  async close(): Promise<void> {
    await this.#heart?.close();
    await this.database.db.destroy();
  }
}
