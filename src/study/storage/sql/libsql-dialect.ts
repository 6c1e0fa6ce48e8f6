import type { DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { type CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type Libsql from 'libsql';

/** The part of libsql's Database that is used; better-sqlite3's has the same shape. */
type Database = Libsql.Database;
type Statement = Libsql.Statement<unknown[]>;

/**
 * Kysely over libsql: one connection, whose users queue up; statements are prepared once and kept; a transaction
 * takes the write lock at its beginning (BEGIN IMMEDIATE), so that it never fails halfway for want of it.
 */
export class LibsqlDialect implements Dialect {
  constructor(private readonly database: Database) {}

  createDriver = (): Driver => new LibsqlDriver(this.database);
  createQueryCompiler = () => new SqliteQueryCompiler();
  createAdapter = () => new SqliteAdapter();
  createIntrospector: Dialect['createIntrospector'] = (db) => new SqliteIntrospector(db);
}

class LibsqlDriver implements Driver {
  readonly #connection: LibsqlConnection;
  #held = false;
  readonly #queue: (() => void)[] = [];

  constructor(private readonly database: Database) {
    this.#connection = new LibsqlConnection(database);
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

  /** SQLite ends a transaction by itself when the disk is full. */
  async rollbackTransaction() {
    if (this.database.inTransaction) this.database.exec('rollback');
  }

  /** What the write-ahead log holds goes to the file, so that it can be copied; a file in use is left as it is. */
  async destroy() {
    this.#connection.forget();
    try {
      this.database.pragma('wal_checkpoint(truncate)');
    } finally {
      this.database.close();
    }
  }
}

const MOST_STATEMENTS = 200;

class LibsqlConnection implements DatabaseConnection {
  readonly #statements = new Map<string, { statement: Statement; reader: boolean }>();

  constructor(private readonly database: Database) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, reader } = this.#prepare(sql);
    if (reader) return { rows: statement.all(parameters as unknown[]) as R[] };
    const { changes, lastInsertRowid } = statement.run(parameters as unknown[]);
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('libsql: rows are read at once');
  }

  forget() {
    this.#statements.clear();
  }

  #prepare(sql: string) {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
      const statement = this.database.prepare(sql);
      prepared = { statement, reader: statement.reader };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }
}
