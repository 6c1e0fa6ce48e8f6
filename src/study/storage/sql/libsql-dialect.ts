import type { DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely';
import { CompiledQuery, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
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

  async beginTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection) {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy() {
    this.#connection.forget();
    this.database.close();
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
