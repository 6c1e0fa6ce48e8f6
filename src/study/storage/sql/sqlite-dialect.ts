import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import type { DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { type CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import { UserError } from '../../../base/errors.js';

/**
 * Kysely over a connection of node:sqlite's kind, whose users queue up; statements are prepared once and kept; a
 * transaction takes the write lock at its beginning (BEGIN IMMEDIATE), so that it never fails halfway for want of it.
 *
 * @throws TypeError when a text that is read is not UTF-8, where SQLite itself would hand out other letters.
 */
export class SqliteDialect implements Dialect {
  constructor(
    private readonly database: DatabaseSyncInstance,
    private readonly readOnly: boolean,
  ) {}

  createDriver = (): Driver => new SqliteDriver(this.database, this.readOnly);
  createQueryCompiler = () => new SqliteQueryCompiler();
  createAdapter = () => new SqliteAdapter();
  createIntrospector: Dialect['createIntrospector'] = (db) => new SqliteIntrospector(db);
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;
  #held = false;
  readonly #queue: (() => void)[] = [];

  constructor(
    private readonly database: DatabaseSyncInstance,
    private readonly readOnly: boolean,
  ) {
    this.#connection = new SqliteConnection(database);
  }

  async init() {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#held) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#held = true;
    return this.#connection;
  }

  async releaseConnection() {
    const next = this.#queue.shift();
    if (next) next();
    else this.#held = false;
  }

  // By exec, which drops its statement: a prepared BEGIN that found the file locked stays half executed until it
  // runs again, and meanwhile all reads of this connection see the file as it was then.
  async beginTransaction() {
    this.database.exec('begin immediate');
  }

  async commitTransaction() {
    this.database.exec('commit');
  }

  /** Whether a transaction is open; SQLite ends one by itself when the disk is full. */
  async rollbackTransaction() {
    if (this.database.isTransaction) this.database.exec('rollback');
  }

  /**
   * Closes the database and moves its write-ahead log into the file, so that the file can be copied; a file in use keeps
   * its log.
   */
  async destroy() {
    this.#connection.forget();
    try {
      if (!this.readOnly) this.database.exec('pragma wal_checkpoint(truncate)');
    } finally {
      this.database.close();
    }
  }
}

const MOST_STATEMENTS = 200;

class SqliteConnection implements DatabaseConnection {
  readonly #statements = new Map<string, { statement: StatementSyncInstance; reader: boolean }>();

  constructor(private readonly database: DatabaseSyncInstance) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, reader } = this.#prepare(sql);
    const values = parameters.map(bindable);
    if (reader) {
      const rows = statement.all(...values) as Record<string, unknown>[];
      this.#checkTexts(sql, values, rows);
      return { rows: rows as R[] };
    }
    const { changes, lastInsertRowid } = statement.run(...values);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('sqlite: rows are read at once');
  }

  forget() {
    this.#statements.clear();
  }

  #prepare(sql: string) {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
      const statement = this.database.prepare(sql);
      prepared = { statement, reader: statement.columns().length > 0 };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  /** Checks for U+FFFD, which replaces bytes that are not UTF-8; the bytes tell whether it was written so. */
  #checkTexts(sql: string, values: readonly unknown[], rows: readonly Record<string, unknown>[]) {
    const replaced = new Set<string>();
    for (const row of rows)
      for (const column in row) {
        const value = row[column];
        if (typeof value === 'string' && value.includes('\ufffd')) replaced.add(column);
      }
    for (const column of replaced) {
      const query = this.database.prepare(`select cast("${column}" as blob) as bytes from (${sql})`);
      for (const { bytes } of query.all(...values) as { bytes: Uint8Array | null }[])
        if (bytes) utf8.decode(bytes);
    }
  }
}

/**
 * A value as the driver binds it unchanged: it takes numbers within 2^-52 above an integer for that one, which between
 * 0 and 1 are others still, and ends a text at its first NUL. A column of floats makes a number of a text again.
 */
function bindable(value: unknown): unknown {
  if (typeof value === 'number' && value > 0 && value < Number.EPSILON) return String(value);
  if (typeof value === 'string' && value.includes('\0'))
    throw new UserError(`${JSON.stringify(value)}: SQLite keeps no text that holds a NUL; leave it out`);
  return value;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
