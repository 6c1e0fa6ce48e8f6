import { UserError } from '../../errors.js';
import { JournalStorage } from './journal/journal-storage.js';
import { MemoryStorage } from './memory-storage.js';
import { openMysql } from './sql/mysql.js';
import { openPostgres } from './sql/postgres.js';
import { type RdbOptions, RdbStorage } from './sql/rdb-storage.js';
import { SCHEMA_VERSION } from './sql/schema.js';
import { openSqlite } from './sql/sqlite.js';
import type { Storage } from './storage.js';

/**
 * Opens the storage that a URL names, as Optuna writes it; a driver is loaded when its first URL comes.
 *
 * - `memory://`: this process
 * - `sqlite:///relative.db`, `sqlite:////absolute.db`
 * - `postgresql://user@host:5432/database`, also with Optuna's driver: `postgresql+psycopg2://…`
 * - `mysql://user@host:3306/database`, also `mysql+pymysql://…` and `mariadb://…`
 * - `journal://path`: Optuna's journal file
 *
 * @throws UserError when the URL is of another kind, nothing answers, or the database is of another revision.
 * @example
 * const storage = await openStorage('sqlite:///study.db', { heartbeatInterval: 60 });
 */
export async function openStorage(url: string, options: RdbOptions = {}): Promise<Storage> {
  const [, scheme = '', rest = ''] = /^([a-z]+)(?:\+\w+)?:\/\/(.*)$/s.exec(url) ?? [];
  const filled = rest.replaceAll('{SCHEMA_VERSION}', String(SCHEMA_VERSION));
  switch (scheme) {
    case 'memory':
      return new MemoryStorage();
    case 'sqlite':
      return RdbStorage.open(await openSqlite(sqlitePath(url, filled)), options);
    case 'postgresql':
    case 'postgres':
      return RdbStorage.open(await openPostgres(`postgresql://${filled}`), options);
    case 'mysql':
    case 'mariadb':
      return RdbStorage.open(await openMysql(`mysql://${filled}`), options);
    case 'journal':
      return new JournalStorage(filled);
    default:
      throw new UserError(
        `storage: expected memory://, sqlite:///study.db, postgresql://…, mysql://… or journal://path, got "${url}"`,
        { url },
      );
  }
}

function sqlitePath(url: string, rest: string): string {
  if (rest === '') return ':memory:';
  if (!rest.startsWith('/')) {
    throw new UserError(
      `storage: expected sqlite:///file.db (three slashes, four for an absolute path), got "${url}"`,
      {
        url,
      },
    );
  }
  return rest.slice(1).replace(/\?.*$/s, '') || ':memory:';
}
