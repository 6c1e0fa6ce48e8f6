import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseSyncInstance } from '@photostructure/sqlite';
import { UserError } from '../base/errors.js';

/** What a run logged at a step. */
export interface TrackioRow {
  readonly step: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A run in a file. */
export interface TrackioRun {
  readonly id: string;
  readonly name: string;
}

/** The tables of trackio that are written here, as trackio makes them; it brings a file that lacks others up to date. */
const TABLES = `
CREATE TABLE IF NOT EXISTS metrics (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
  step INTEGER NOT NULL, metrics TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS configs (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, run_name TEXT NOT NULL, config TEXT NOT NULL,
  created_at TEXT NOT NULL, UNIQUE(run_id)
);
CREATE TABLE IF NOT EXISTS alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, timestamp TEXT NOT NULL, run_name TEXT NOT NULL,
  title TEXT NOT NULL, text TEXT, level TEXT NOT NULL DEFAULT 'warn', step INTEGER, alert_id TEXT
);
`;

/** Milliseconds that SQLite itself waits for another writer, which blocks this process; then it is asked again. */
const BUSY = 5;

/** Milliseconds after which a file that others hold is given up. */
const PATIENCE = 10_000;

/** SQLITE_BUSY and SQLITE_LOCKED. */
const HELD: readonly unknown[] = [5, 6];

/** A project's SQLite file, to which any number of processes write. */
export class TrackioFile {
  private constructor(
    private readonly path: string,
    private readonly db: DatabaseSyncInstance,
  ) {}

  /** Opens a file, which is made where there is none. @throws UserError where it cannot be used. */
  static async open(path: string): Promise<TrackioFile> {
    const { DatabaseSync } = await import('@photostructure/sqlite');
    try {
      await mkdir(dirname(path), { recursive: true });
      const isNew = !existsSync(path);
      const file = new TrackioFile(path, new DatabaseSync(path, { timeout: BUSY }));
      await file.#patiently(() => file.db.exec('PRAGMA synchronous = NORMAL'));
      if (isNew) await file.#patiently(() => file.db.exec('PRAGMA journal_mode = WAL'));
      await file.#write(() => file.db.exec(TABLES));
      return file;
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      throw new UserError(
        `${path}: expected a file of trackio, got ${(cause as Error).message}; set TRACKIO_DIR to another folder`,
        { path },
        { cause },
      );
    }
  }

  /** Replaces all that the file has of a run. */
  async begin({ id, name }: TrackioRun, config: object, rows: readonly TrackioRow[]): Promise<void> {
    await this.#write(() => {
      for (const table of ['metrics', 'configs', 'alerts'])
        this.db.prepare(`DELETE FROM ${table} WHERE run_id = ?`).run(id);
      this.db
        .prepare('INSERT INTO configs (run_id, run_name, config, created_at) VALUES (?, ?, ?, ?)')
        .run(id, name, JSON.stringify(config), stamp(Date.now()));
      this.#insert({ id, name }, rows);
    });
  }

  /** Adds rows, all or none. */
  async add(run: TrackioRun, rows: readonly TrackioRow[]): Promise<void> {
    if (rows.length > 0) await this.#write(() => this.#insert(run, rows));
  }

  /** Adds a note that trackio shows beside a run. */
  async alert({ id, name }: TrackioRun, level: 'warn' | 'error', title: string): Promise<void> {
    const text = 'INSERT INTO alerts (run_id, timestamp, run_name, title, level) VALUES (?, ?, ?, ?, ?)';
    await this.#write(() => this.db.prepare(text).run(id, stamp(Date.now()), name, title, level));
  }

  close(): void {
    this.db.close();
  }

  #insert({ id, name }: TrackioRun, rows: readonly TrackioRow[]): void {
    const insert = this.db.prepare(
      'INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?, ?, ?, ?, ?)',
    );
    for (const { step, time, values } of rows)
      insert.run(id, stamp(time), name, step, JSON.stringify(values, finite));
  }

  async #write(work: () => unknown): Promise<void> {
    await this.#patiently(() => {
      this.db.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.db.exec('COMMIT');
      } catch (error) {
        this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Waits for other writers without blocking this process. */
  async #patiently(work: () => void): Promise<void> {
    for (const start = performance.now(); ; await sleep(50))
      try {
        return work();
      } catch (error) {
        if (!HELD.includes((error as { errcode?: number }).errcode)) throw error;
        if (performance.now() - start > PATIENCE)
          throw new UserError(`${this.path}: expected to write, got a file that another process holds`, {
            path: this.path,
          });
      }
  }
}

/** JSON has no NaN and no infinities: trackio writes their names. */
function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

/** A time as Python's isoformat has it. */
export function stamp(time: number): string {
  return new Date(time).toISOString().replace('Z', '+00:00');
}
