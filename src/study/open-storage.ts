import { JournalStorage } from './storage/journal/journal-storage.js';
import { MemoryStorage } from './storage/memory-storage.js';
import { partsOf } from './storage/sql/database-url.js';
import { type HeartbeatOptions, heartbeatOf } from './storage/sql/heartbeat-options.js';
import { RdbStorage } from './storage/sql/rdb-storage.js';
import type { Storage } from './storage/storage.js';

/** Options of `openStorage`. */
export interface StorageOptions extends HeartbeatOptions {
  /**
   * Only reads: a SQLite file gets no lock, no journal and no other file beside it, and may lie in a folder that cannot be
   * written to. Other storages ignore it. Default false.
   */
  readonly readOnly?: boolean;
}

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
export async function openStorage(url: string, options: StorageOptions = {}): Promise<Storage> {
  const heartbeat = heartbeatOf(options);
  const { scheme, rest } = partsOf(url);
  if (scheme === 'memory') return new MemoryStorage();
  if (scheme === 'journal') return new JournalStorage(rest);
  const { openDatabase } = await import('./storage/sql/open-database.js');
  return RdbStorage.open(await openDatabase(url, options), heartbeat);
}
