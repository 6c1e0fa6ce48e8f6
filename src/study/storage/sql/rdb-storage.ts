import type { Kysely } from 'kysely';
import { UserError } from '../../../errors.js';
import type { Direction, FrozenTrial, Json } from '../../frozen-trial.js';
import { paramNames } from '../../param-names.js';
import { nameTaken, studyGone } from '../memory-storage.js';
import { parsePythonJson, toPythonJson } from '../python-json.js';
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
import { newTrialRecord } from '../trial-record.js';
import type { Database } from './database.js';
import type { Trips } from './postgres-trips.js';
import { readTrials } from './read-trials.js';
import { retry } from './retry.js';
import { prepareSchema } from './schema.js';
import type { Tables } from './tables.js';
import { type Clock, clockOf, formatTime } from './timestamps.js';
import { insertValues, takenForAnother, writeChanges } from './write-changes.js';

/** The part of a list that one query names: databases limit their parameters. */
const CHUNK = 1000;

export interface RdbOptions {
  /** Seconds between the beats of running trials; absent: none, and trials of dead processes stay RUNNING. */
  readonly heartbeatInterval?: number;
  /** Seconds without a beat after which a trial is stale, twice the interval by default. */
  readonly gracePeriod?: number;
}

/**
 * Studies in a relational database, in the tables of Optuna (revision v3.2.0.a), which Optuna, its dashboard and
 * other processes may use at the same time.
 *
 * A trial is numbered under the lock of its study's row (on SQLite, of the file), so that numbers have no gaps
 * and ids rise in the order of creation.
 */
export class RdbStorage implements Storage {
  readonly url: string;
  readonly heartbeat?: Heartbeat;
  readonly limits: StorageLimits;
  readonly #db: Kysely<Tables>;
  readonly #clock: Clock;
  /** The last trial known of each study, by id: the search for a newer one begins there. */
  readonly #last = new Map<number, number>();
  readonly #kind: { readonly kind: Database['kind']; readonly folds: boolean };

  private constructor(
    private readonly database: Database,
    libraryVersion: string,
    fold: StorageLimits['fold'],
    { heartbeatInterval: interval, gracePeriod }: RdbOptions,
  ) {
    this.url = database.url;
    this.#db = database.db;
    this.#clock = clockOf(libraryVersion);
    this.limits = { ...database.limits, ...(fold ? { fold } : {}) };
    this.#kind = { kind: database.kind, folds: fold !== undefined };
    if (interval === undefined) return;
    if (!(interval > 0))
      throw new UserError(`heartbeatInterval: expected seconds above 0, got ${interval}`, { interval });
    this.heartbeat = { interval, grace: gracePeriod ?? 2 * interval };
  }

  /** @throws UserError when the tables are of another revision, or only some are there. */
  static async open(database: Database, options: RdbOptions = {}): Promise<RdbStorage> {
    try {
      const version = await retry(() => prepareSchema(database), database.isTransient);
      return new RdbStorage(database, version, await database.folding?.(), options);
    } catch (error) {
      await database.db.destroy();
      throw error;
    }
  }

  async createStudy(name: string, directions: readonly Direction[]): Promise<number> {
    try {
      return await this.#transaction(async (db) => {
        const study = await this.#insert(db, 'studies', 'study_id', { study_name: name });
        const rows = directions.map((direction, objective) => ({
          study_id: study,
          direction: direction.toUpperCase(),
          objective,
        }));
        await db.insertInto('study_directions').values(rows).execute();
        return study;
      });
    } catch (error) {
      if (!this.database.isDuplicate(error)) throw error;
      throw (await this.findStudy(name)) ? nameTaken(name, this.url) : takenForAnother(name);
    }
  }

  async deleteStudy(study: number): Promise<void> {
    this.#last.delete(study);
    await this.#transaction(async (db) => {
      const trials = db.selectFrom('trials').select('trial_id').where('study_id', '=', study);
      for (const table of TRIAL_TABLES) await db.deleteFrom(table).where('trial_id', 'in', trials).execute();
      for (const table of STUDY_TABLES) await db.deleteFrom(table).where('study_id', '=', study).execute();
    });
  }

  async findStudy(name: string): Promise<StudyRecord | undefined> {
    const rows = await this.#read((db) =>
      db.selectFrom('studies').selectAll().where('study_name', '=', name).execute(),
    );
    return (await this.#records(rows.filter(({ study_name }) => study_name === name)))[0];
  }

  async studies(): Promise<readonly StudyRecord[]> {
    return this.#records(
      await this.#read((db) => db.selectFrom('studies').selectAll().orderBy('study_id').execute()),
    );
  }

  async setStudyAttr(study: number, kind: 'user' | 'system', key: string, value: Json): Promise<void> {
    const value_json = toPythonJson(value);
    await this.#transaction(async (db) => {
      await this.#lockStudy(db, study);
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
    const { id, number } =
      template || !this.database.trips
        ? await this.#transaction((db) => this.#insertTrial(db, study, asIs))
        : await this.#startTrial(this.database.trips, study, asIs.datetimeStart!);
    this.#last.set(study, id);
    return newTrialRecord(id, number, asIs);
  }

  async #startTrial(trips: Trips, study: number, start: number) {
    const text = formatTime(start, this.#clock);
    const { isTransient } = this.database;
    const last = this.#last.get(study) ?? 0;
    const started = await retry(
      () => trips.startTrial(study, last, text, this.heartbeat !== undefined),
      isTransient,
    );
    if (!started) throw studyGone(study, this.url);
    return started;
  }

  async createTrialWithin(
    study: number,
    { states, most }: TrialLimit,
    template: TrialTemplate = { state: 'RUNNING', datetimeStart: Date.now() },
  ): Promise<FrozenTrial | null> {
    const created = await this.#transaction(async (db) => {
      await this.#lockStudy(db, study);
      const { count } = await db
        .selectFrom('trials')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('study_id', '=', study)
        .where('state', 'in', states)
        .executeTakeFirstOrThrow();
      return Number(count) >= most ? null : this.#insertTrial(db, study, template);
    });
    if (!created) return null;
    this.#last.set(study, created.id);
    return newTrialRecord(created.id, created.number, template);
  }

  claimTrial(trial: number, time: number): Promise<boolean> {
    return this.#transaction(async (db) => {
      const { numUpdatedRows } = await db
        .updateTable('trials')
        .set({ state: 'RUNNING', datetime_start: formatTime(time, this.#clock) })
        .where('trial_id', '=', trial)
        .where('state', '=', 'WAITING')
        .executeTakeFirst();
      if (numUpdatedRows > 0n && this.heartbeat) await this.#beat(db, trial);
      return numUpdatedRows > 0n;
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
    return this.#read((db) => chunked(ids, (chunk) => readTrials(db, chunk, this.#clock)));
  }

  async writeTrial(trial: number, changes: TrialChanges): Promise<void> {
    const { trips, isTransient } = this.database;
    if (trips) {
      if (await retry(() => trips.writeTrial(trial, changes), isTransient)) return;
      throw new FinishedTrialError(trial);
    }
    return this.#transaction(async (db) => {
      const query = db.selectFrom('trials').select('state').where('trial_id', '=', trial);
      const row = await (this.database.kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst();
      if (row?.state !== 'RUNNING' && row?.state !== 'WAITING') throw new FinishedTrialError(trial);
      await writeChanges(db, this.#kind, trial, changes);
    });
  }

  finishTrial(trial: number, { state, values, time, changes, successor }: TrialEnd): Promise<boolean> {
    const { trips, isTransient } = this.database;
    if (trips && !successor) {
      const complete = formatTime(time, this.#clock);
      return retry(() => trips.finishTrial(trial, state, complete, changes ?? {}, values), isTransient);
    }
    return this.#transaction(async (db) => {
      if (successor) await this.#lockStudy(db, successor.study);
      const { numUpdatedRows } = await db
        .updateTable('trials')
        .set({ state, datetime_complete: formatTime(time, this.#clock) })
        .where('trial_id', '=', trial)
        .where('state', '=', 'RUNNING')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return false;
      if (changes) await writeChanges(db, this.#kind, trial, changes);
      await insertValues(db, trial, values);
      if (successor) await this.#insertTrial(db, successor.study, successor.template);
      return true;
    });
  }

  recordHeartbeat(trial: number): Promise<void> {
    return this.#transaction((db) => this.#beat(db, trial));
  }

  async staleTrials(ids: readonly number[]): Promise<readonly number[]> {
    const { heartbeat } = this;
    if (!heartbeat) return [];
    const rows = await this.#read((db) =>
      chunked(ids, (chunk) =>
        db
          .selectFrom('trials')
          .innerJoin('trial_heartbeats', 'trials.trial_id', 'trial_heartbeats.trial_id')
          .select('trials.trial_id as id')
          .where('trials.trial_id', 'in', chunk)
          .where('state', '=', 'RUNNING')
          .where(this.database.secondsSince('trial_heartbeats.heartbeat'), '>', heartbeat.grace)
          .execute(),
      ),
    );
    return rows.map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }

  async #insertTrial(db: Kysely<Tables>, study: number, template: TrialTemplate) {
    if (!(await this.#lockStudy(db, study))) throw studyGone(study, this.url);
    const newest = (from: number) =>
      db
        .selectFrom('trials')
        .select('number')
        .where('study_id', '=', study)
        .where('trial_id', '>=', from)
        .orderBy('trial_id', 'desc')
        .limit(1)
        .executeTakeFirst();
    // SQLite gives the id of a deleted study to the next one, whose trials may have smaller ids than were known.
    const last = (await newest(this.#last.get(study) ?? 0)) ?? (await newest(0));
    const number = last ? last.number + 1 : 0;
    const { state, datetimeStart, datetimeComplete, internalParams, distributions } = template;
    const id = await this.#insert(db, 'trials', 'trial_id', {
      number,
      study_id: study,
      state,
      datetime_start: datetimeStart ? formatTime(datetimeStart, this.#clock) : null,
      datetime_complete: datetimeComplete ? formatTime(datetimeComplete, this.#clock) : null,
    });
    if (state === 'RUNNING' && this.heartbeat) await this.#beat(db, id);
    const stored = paramNames(distributions ?? {}).map(
      (name) => [name, { internal: internalParams![name]!, distribution: distributions![name]! }] as const,
    );
    await writeChanges(db, this.#kind, id, { ...template, params: new Map(stored) });
    await insertValues(db, id, template.values ?? null);
    return { id, number };
  }

  /** Whether the study is there; until the transaction ends no other numbers a trial of it. */
  async #lockStudy(db: Kysely<Tables>, study: number): Promise<boolean> {
    const query = db.selectFrom('studies').select('study_id').where('study_id', '=', study);
    return (
      (await (this.database.kind === 'sqlite' ? query : query.forUpdate()).executeTakeFirst()) !== undefined
    );
  }

  async #beat(db: Kysely<Tables>, trial: number): Promise<void> {
    const { now } = this.database;
    const { numUpdatedRows } = await db
      .updateTable('trial_heartbeats')
      .set({ heartbeat: now })
      .where('trial_id', '=', trial)
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      await db.insertInto('trial_heartbeats').values({ trial_id: trial, heartbeat: now }).execute();
  }

  /** Inserts one row and returns its key. */
  async #insert(
    db: Kysely<Tables>,
    table: 'studies' | 'trials',
    key: string,
    row: Record<string, string | number | null>,
  ): Promise<number> {
    const rows = db as unknown as Kysely<Record<string, Record<string, string | number | null>>>;
    const query = rows.insertInto(table).values(row);
    if (this.database.kind !== 'postgresql') return Number((await query.executeTakeFirstOrThrow()).insertId);
    return Number((await query.returning(key).executeTakeFirstOrThrow())[key]);
  }

  async #records(rows: readonly { study_id: number; study_name: string }[]): Promise<StudyRecord[]> {
    if (rows.length === 0) return [];
    const ids = rows.map(({ study_id }) => study_id);
    return this.#read(async (db) => {
      const directions = await chunked(ids, (chunk) =>
        db
          .selectFrom('study_directions')
          .selectAll()
          .where('study_id', 'in', chunk)
          .orderBy('objective')
          .execute(),
      );
      const attrs = (kind: 'user' | 'system') =>
        chunked(ids, (chunk) =>
          db.selectFrom(`study_${kind}_attributes`).selectAll().where('study_id', 'in', chunk).execute(),
        );
      const [user, system] = [await attrs('user'), await attrs('system')];
      return rows.map(({ study_id: id, study_name: name }) => ({
        id,
        name,
        directions: directions.filter((row) => row.study_id === id).map((row) => directionOf(row.direction)),
        userAttrs: attributesOf(user, id),
        systemAttrs: attributesOf(system, id),
      }));
    });
  }

  #read<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return retry(() => work(this.#db), this.database.isTransient);
  }

  #transaction<T>(work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return retry(() => this.#db.transaction().execute(work), this.database.isTransient);
  }
}

const TRIAL_TABLES = [
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
  'trial_values',
  'trial_intermediate_values',
  'trial_heartbeats',
] as const;

const STUDY_TABLES = [
  'trials',
  'study_directions',
  'study_user_attributes',
  'study_system_attributes',
  'studies',
] as const;

/** NOT_SET, which only databases of Optuna 0.x hold, counts as minimize. */
function directionOf(name: string): Direction {
  return name === 'MAXIMIZE' ? 'maximize' : 'minimize';
}

function attributesOf(rows: readonly { study_id: number; key: string; value_json: string }[], study: number) {
  const own = rows.filter((row) => row.study_id === study);
  return Object.fromEntries(own.map(({ key, value_json }) => [key, parsePythonJson(value_json)]));
}

async function chunked<A, B>(list: readonly A[], read: (chunk: readonly A[]) => Promise<B[]>): Promise<B[]> {
  if (list.length === 0) return [];
  if (list.length <= CHUNK) return read(list);
  const parts: B[][] = [];
  for (let i = 0; i < list.length; i += CHUNK) parts.push(await read(list.slice(i, i + CHUNK)));
  return parts.flat();
}
