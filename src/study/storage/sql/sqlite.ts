import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Kysely, sql } from 'kysely';
import { UserError } from '../../../errors.js';
import type { Database } from './database.js';
import { loadDriver } from './load-driver.js';
import type { Tables } from './tables.js';

/** How long one statement waits inside SQLite for a lock, which blocks this process, before the storage retries. */
const BUSY_MILLISECONDS = 20;

/**
 * A SQLite file through libsql, created where there is none, in WAL mode: readers and one writer go on side by
 * side. A commit survives the process; the last ones before a power cut may be lost (synchronous = NORMAL).
 *
 * WAL needs a local disk: on NFS use the journal or a server.
 *
 * @throws UserError when the folder is missing, or the file is no database or cannot be written.
 */
export async function openSqlite(path: string): Promise<Database> {
  const { default: Libsql } = await loadDriver('libsql', () => import('libsql'));
  const { LibsqlDialect } = await import('./libsql-dialect.js');
  const url = path === ':memory:' ? 'sqlite:///:memory:' : `sqlite:///${path}`;
  if (path !== ':memory:' && !existsSync(dirname(resolve(path)))) {
    throw new UserError(
      `${url}: folder ${dirname(resolve(path))} is missing; create it, or use another path`,
      { path },
    );
  }
  const open = () => {
    const file = new Libsql(path);
    file.pragma(`busy_timeout = ${BUSY_MILLISECONDS}`);
    return file;
  };
  const file = await opened(open, url);
  const db = new Kysely<Tables>({ dialect: new LibsqlDialect(file) });
  return {
    kind: 'sqlite',
    url,
    db,
    limits: {},
    now: sql<string>`strftime('%Y-%m-%d %H:%M:%f000', 'now')`,
    secondsSince: (column) => sql<number>`(julianday('now') - julianday(${sql.ref(column)})) * 86400.0`,
    isTransient: isBusy,
    isDuplicate: (error) => codeOf(error).startsWith('SQLITE_CONSTRAINT') && /UNIQUE/.test(String(error)),
    exclusively: (work) => db.transaction().execute(work),
  };
}

/** Turns the file to WAL, which needs it alone for a moment. */
async function opened<T extends { pragma(source: string): unknown; close(): void }>(
  open: () => T,
  url: string,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    let file: T | undefined;
    try {
      file = open();
      file.pragma('journal_mode = wal');
      file.pragma('synchronous = normal');
      return file;
    } catch (error) {
      file?.close();
      if (!isBusy(error)) throw cannotUse(url, error);
      if (attempt >= 500) throw error;
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

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

function isBusy(error: unknown): boolean {
  return /SQLITE_BUSY|SQLITE_LOCKED/.test(codeOf(error)) || /database (table )?is locked/.test(String(error));
}
