import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Kysely, sql } from 'kysely';
import { UserError } from '../../../base/errors.js';
import { damaged } from './damaged.js';
import type { Database } from './database.js';
import { loadDriver } from './load-driver.js';
import { readingPath } from './reading-path.js';
import { SqliteDialect } from './sqlite-dialect.js';
import type { Tables } from './tables.js';

/** How long one statement waits inside SQLite for a lock, which blocks this process, before the storage retries. */
const BUSY_MILLISECONDS = 20;

/**
 * A SQLite file, created if missing, in WAL mode: readers and one writer work side by side. A commit survives the
 * process; the last ones before a power cut may be lost (synchronous = NORMAL).
 *
 * WAL needs a local disk: on NFS use the journal or a server. With `readOnly` the file is read as it is (`readingPath`).
 *
 * @throws UserError when the folder is missing, or the file is no database, is damaged, cannot be written or stays locked.
 */
export async function openSqlite(
  path: string,
  { readOnly = false }: { readonly readOnly?: boolean | undefined } = {},
): Promise<Database> {
  const { DatabaseSync } = await loadDriver('@photostructure/sqlite', () => import('@photostructure/sqlite'));
  const memory = path === ':memory:';
  const url = memory ? 'sqlite:///:memory:' : `sqlite:///${path}`;
  if (!memory && !existsSync(dirname(resolve(path)))) {
    throw new UserError(
      `${url}: folder ${dirname(resolve(path))} is missing; create it, or use another path`,
      { path },
    );
  }
  // Foreign keys are not enforced, as SQLite itself and Optuna have it.
  const options = { timeout: BUSY_MILLISECONDS, enableForeignKeyConstraints: false };
  const file = await (readOnly
    ? opened(() => new DatabaseSync(readingPath(path), { ...options, readOnly }), url, [])
    : opened(() => new DatabaseSync(path, options), url, PRAGMAS));
  const db = new Kysely<Tables>({ dialect: new SqliteDialect(file, readOnly) });
  return {
    kind: 'sqlite',
    url,
    // A connection to :memory: has a database of its own.
    ...(memory || readOnly ? {} : { reopen: `sqlite:///${resolve(path)}` }),
    db,
    limits: {},
    now: sql<string>`strftime('%Y-%m-%d %H:%M:%f000', 'now')`,
    secondsSince: (column) => sql<number>`(julianday('now') - julianday(${sql.ref(column)})) * 86400.0`,
    isTransient: isBusy,
    isLost: () => false,
    isDuplicate: (error) => codeOf(error) === SQLITE_CONSTRAINT && /UNIQUE/.test(String(error)),
    explain: (error) => {
      if (isDamage(error)) return damaged(url, 'it', error);
      return UNUSABLE.includes(codeOf(error)) ? cannotUse(url, error) : error;
    },
    exclusively: (work) => db.transaction().execute(work),
  };
}

/** Turning the file to WAL needs exclusive access for a moment. */
const PRAGMAS = ['pragma journal_mode = wal', 'pragma synchronous = normal'];

async function opened<T extends { exec(source: string): void; close(): void }>(
  open: () => T,
  url: string,
  pragmas: readonly string[],
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    let file: T | undefined;
    try {
      file = open();
      for (const pragma of pragmas) file.exec(pragma);
      return file;
    } catch (error) {
      file?.close();
      if (!isBusy(error) || attempt >= 500) throw cannotUse(url, error);
      await new Promise((done) => setTimeout(done, 5 + 20 * Math.random()));
    }
  }
}

function cannotUse(url: string, cause: unknown): UserError {
  const { message } = cause as Error;
  return new UserError(
    `${url}: expected a SQLite file that can be read and written, but ${message}; ` +
      'check the path and its permissions, or use another',
    { url, code: codeOf(cause) },
    { cause },
  );
}

/** Not permitted, read-only, broken input or output, full, cannot open. */
const UNUSABLE = [3, 8, 10, 13, 14];
const SQLITE_ERROR = 1;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_CONSTRAINT = 19;
const SQLITE_NOTADB = 26;

/** SQLite's own code, without what its extended codes add; 0 where the error is none of SQLite's. */
function codeOf(error: unknown): number {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
}

/** SQLite's messages about a file whose pages, schema or texts are damaged. */
function isDamage(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return (
    [SQLITE_ERROR, SQLITE_CORRUPT, SQLITE_NOTADB].includes(codeOf(error)) ||
    (code === 'ERR_SQLITE_ERROR' && codeOf(error) === 0) ||
    code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
  );
}

function isBusy(error: unknown): boolean {
  return [SQLITE_BUSY, SQLITE_LOCKED].includes(codeOf(error));
}
