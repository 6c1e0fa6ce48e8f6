import type { Kysely } from 'kysely';
import type { Direction, FrozenTrial, Json } from '../../trials/frozen-trial.js';
import { toPythonJson } from '../../trials/python-json.js';
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
import { nameTaken, studyGone } from '../study-errors.js';
import { type Clock, clockOf, formatTime } from '../timestamps.js';
import { newTrialRecord } from '../trial-record.js';
import { chunked } from './chunked.js';
import type { Database } from './database.js';
import { deleteRows } from './delete-study.js';
import { Heart } from './heart.js';
import { firstBeat, readStale } from './heartbeats.js';
import { insertRow, insertTrial, lockStudy, type Numbered, trialOfToken } from './insert-trial.js';
import { readStudies } from './read-studies.js';
import { readTrials } from './read-trials.js';
import { CONNECTION_PAUSE, retry } from './retry.js';
import type { Tables } from './tables.js';
import { newToken, TOKEN } from './token.js';
import { insertValues, takenForAnother, type Written, writeChanges } from './write-changes.js';

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
  readonly #db: Kysely<Tables>;
  readonly #clock: Clock;
  readonly #kind: Written;
  /** The last trial known of each study, by id: the search for a newer one begins there. */
  readonly #last = new Map<number, number>();
  /** When a connection was last lost. */
  #lost = Number.NEGATIVE_INFINITY;

  private constructor(
    private readonly database: Database,
    libraryVersion: string,
    fold: StorageLimits['fold'],
    heartbeat: Heartbeat | undefined,
  ) {
    this.url = database.url;
    this.#db = database.db;
    this.#clock = clockOf(libraryVersion);
    this.limits = { ...database.limits, ...(fold ? { fold } : {}) };
    this.#kind = { kind: database.kind, folds: fold !== undefined };
    // Nobody else sees a database in memory, so that nothing has to show its trials alive.
    if (!heartbeat || database.reopen === undefined) return;
    this.heartbeat = heartbeat;
    this.#heart = new Heart(database.reopen, heartbeat.interval, (message) =>
      process.emitWarning(message, { type: 'StudyWarning', code: 'heartbeat' }),
    );
  }

  /** @throws UserError when the tables are of another revision, or only some are there. */
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

  async createStudy(name: string, directions: readonly Direction[]): Promise<number> {
    const rows = (study: number) =>
      directions.map((direction, objective) => ({
        study_id: study,
        direction: direction.toUpperCase(),
        objective,
      }));
    return this.#transaction(async (db, again) => {
      const there = await db
        .selectFrom('studies')
        .select(['study_id', 'study_name'])
        .where('study_name', '=', name)
        .executeTakeFirst();
      if (there && there.study_name !== name) throw takenForAnother(name);
      // Whether this process or another stored it when the answer was lost, it is as it was to be: new.
      if (there && again) return there.study_id;
      if (there) throw nameTaken(name, this.url);
      const study = await insertRow(db, this.database.kind, 'studies', 'study_id', { study_name: name });
      await db.insertInto('study_directions').values(rows(study)).execute();
      return study;
    }).catch((error: unknown) => {
      throw this.database.isDuplicate(error) ? nameTaken(name, this.url) : error;
    });
  }

  async deleteStudy(study: number): Promise<void> {
    this.#last.delete(study);
    await this.#transaction((db) => deleteRows(db, study));
  }

  async findStudy(name: string): Promise<StudyRecord | undefined> {
    const [study] = await this.#read(async (db) => {
      const rows = await db.selectFrom('studies').selectAll().where('study_name', '=', name).execute();
      return readStudies(
        db,
        rows.filter(({ study_name }) => study_name === name),
        this.url,
      );
    });
    return study;
  }

  studies(): Promise<readonly StudyRecord[]> {
    return this.#read(async (db) =>
      readStudies(db, await db.selectFrom('studies').selectAll().orderBy('study_id').execute(), this.url),
    );
  }

  async setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json): Promise<void> {
    const value_json = toPythonJson(value);
    await this.#transaction(async (db) => {
      await lockStudy(db, this.database.kind, study);
      const table = `study_${kind}_attributes` as const;
      const { numUpdatedRows } = await db
        .updateTable(table)
        .set({ value_json })
        .where('study_id', '=', study)
        .where('key', '=', key)
        .executeTakeFirst();
      if (numUpdatedRows === 0n)
        await db.insertInto(table).values({ study_id: study, key, value_json }).execute();
      else if (this.#kind.folds) {
        const rows = await db.selectFrom(table).select('key').where('study_id', '=', study).execute();
        if (!rows.some((row) => row.key === key)) throw takenForAnother(key);
      }
    });
  }

  async createTrial(study: number, template?: TrialTemplate): Promise<FrozenTrial> {
    const asIs = template ?? ({ state: 'RUNNING', datetimeStart: Date.now() } as const);
    return (await this.#create(study, asIs, { oneTrip: template === undefined }))!;
  }

  createTrialWithin(
    study: number,
    limit: TrialLimit,
    template: TrialTemplate = { state: 'RUNNING', datetimeStart: Date.now() },
  ): Promise<FrozenTrial | null> {
    return this.#create(study, template, { limit });
  }

  async #create(
    study: number,
    template: TrialTemplate,
    { limit, oneTrip = false }: { limit?: TrialLimit; oneTrip?: boolean },
  ): Promise<FrozenTrial | null> {
    if (template.state === 'RUNNING') await this.#heart?.ready();
    const { trips } = this.database;
    const token = newToken();
    const last = this.#last.get(study) ?? 0;
    const created = await this.#retry(async (again) => {
      if (trips && oneTrip && !again) {
        const start = formatTime(template.datetimeStart!, this.#clock);
        const started = await trips.startTrial(study, last, start, this.heartbeat !== undefined, token);
        if (!started) throw studyGone(study, this.url);
        return started;
      }
      return this.#db.transaction().execute(async (db) => {
        if (!(await lockStudy(db, this.database.kind, study))) throw studyGone(study, this.url);
        const stored = again && (await trialOfToken(db, token, last));
        if (stored) return stored;
        if (limit && (await countTrials(db, study, limit)) >= limit.most) return null;
        return this.#insert(db, study, template, token);
      });
    });
    if (!created) return null;
    this.#last.set(study, created.id);
    return newTrialRecord(created.id, created.number, template);
  }

  async claimTrial(trial: number, time: number): Promise<boolean> {
    await this.#heart?.ready();
    const token = newToken();
    return this.#transaction(async (db, again) => {
      const { numUpdatedRows } = await db
        .updateTable('trials')
        .set({ state: 'RUNNING', datetime_start: formatTime(time, this.#clock) })
        .where('trial_id', '=', trial)
        .where('state', '=', 'WAITING')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return again && (await trialOfToken(db, token, trial))?.id === trial;
      if (this.database.kind !== 'sqlite')
        await writeChanges(db, this.#kind, trial, { systemAttrs: { [TOKEN]: token } });
      if (this.heartbeat) await firstBeat(db, this.database, trial);
      return true;
    });
  }

  async readHeads(study: number, after: number, ids: readonly number[]): Promise<TrialHead[]> {
    const heads = await this.#read(async (db) => {
      const query = db.selectFrom('trials').select(['trial_id as id', 'number', 'state']).orderBy('trial_id');
      const listed = await chunked(ids, (chunk) => query.where('trial_id', 'in', chunk).execute());
      const fresh = await query.where('study_id', '=', study).where('trial_id', '>', after).execute();
      const known = new Set(ids);
      return [...listed, ...fresh.filter(({ id }) => !known.has(id))];
    });
    const last = heads.at(-1);
    if (last && last.id > (this.#last.get(study) ?? -1)) this.#last.set(study, last.id);
    return heads;
  }

  readTrials(ids: readonly number[]): Promise<FrozenTrial[]> {
    return this.#read((db) => chunked(ids, (chunk) => readTrials(db, chunk, this.#clock, this.url)));
  }

  async writeTrial(trial: number, changes: TrialChanges): Promise<void> {
    const { trips, kind } = this.database;
    if (trips) {
      if (await this.#retry(() => trips.writeTrial(trial, changes))) return;
      throw new FinishedTrialError(trial);
    }
    return this.#transaction(async (db) => {
      const query = db.selectFrom('trials').select('state').where('trial_id', '=', trial);
      const row = await (kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst();
      if (row?.state !== 'RUNNING' && row?.state !== 'WAITING') throw new FinishedTrialError(trial);
      await writeChanges(db, this.#kind, trial, changes);
    });
  }

  finishTrial(trial: number, end: TrialEnd): Promise<boolean> {
    const { trips } = this.database;
    const { state, values, time, changes, successor } = end;
    const complete = formatTime(time, this.#clock);
    const token = newToken();
    return this.#retry(async (again) => {
      const finished =
        trips && !successor
          ? await trips.finishTrial(trial, state, complete, changes ?? {}, values)
          : await this.#db.transaction().execute(async (db) => {
              if (successor) await lockStudy(db, this.database.kind, successor.study);
              const { numUpdatedRows } = await db
                .updateTable('trials')
                .set({ state, datetime_complete: complete })
                .where('trial_id', '=', trial)
                .where('state', '=', 'RUNNING')
                .executeTakeFirst();
              if (numUpdatedRows === 0n) return false;
              if (changes) await writeChanges(db, this.#kind, trial, changes);
              await insertValues(db, trial, values);
              if (successor) await this.#insert(db, successor.study, successor.template, token);
              return true;
            });
      return finished || (again && (await this.#endedSo(trial, end)));
    });
  }

  /** Whether the trial ended as this end says: stored by this process, whose answer was lost. */
  async #endedSo(trial: number, { state, values, time }: TrialEnd): Promise<boolean> {
    const [stored] = await readTrials(this.#db, [trial], this.#clock, this.url);
    if (stored?.state !== state) return false;
    // MySQL keeps whole seconds, rounded or cut.
    if (Math.abs((stored.datetimeComplete ?? 0) - time) > 1000) return false;
    const [before, now] = [stored.values ?? [], values ?? []];
    return before.length === now.length && before.every((value, i) => Object.is(value, now[i]));
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
    if (Date.now() - this.#lost < heartbeat.interval * 1000 + CONNECTION_PAUSE) return [];
    return this.#retry(() => readStale(this.database, ids, heartbeat.grace));
  }

  async close(): Promise<void> {
    await this.#heart?.close();
    await this.#db.destroy();
  }

  #insert(db: Kysely<Tables>, study: number, template: TrialTemplate, token: string): Promise<Numbered> {
    return insertTrial(db, this.database, {
      written: this.#kind,
      study,
      template,
      last: this.#last.get(study) ?? 0,
      beats: this.heartbeat !== undefined,
      clock: this.#clock,
      // No connection to a file is lost.
      ...(this.database.kind === 'sqlite' ? {} : { token }),
    });
  }

  #read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.#retry(() => work(this.#db));
  }

  #transaction<T>(work: (db: Kysely<Tables>, again: boolean) => Promise<T>): Promise<T> {
    return this.#retry((again) => this.#db.transaction().execute((db) => work(db, again)));
  }

  #retry<T>(work: (again: boolean) => Promise<T>): Promise<T> {
    const noted = async (again: boolean) => {
      if (again) this.#lost = Date.now();
      return work(again);
    };
    return retry(noted, this.database);
  }
}

async function countTrials(db: Kysely<Tables>, study: number, { states }: TrialLimit): Promise<number> {
  const { count } = await db
    .selectFrom('trials')
    .select(({ fn }) => fn.countAll().as('count'))
    .where('study_id', '=', study)
    .where('state', 'in', states)
    .executeTakeFirstOrThrow();
  return Number(count);
}
