import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * The URI by which SQLite only reads a file, and makes no other file beside it.
 *
 * Where a log (`-wal`) lies beside the file, a process writes or was killed, and SQLite reads the log by the index (`-shm`)
 * that is there. Without a log the file is complete and is read as one that nobody changes, since SQLite would make an index
 * otherwise: what another process writes from then on is seen by who opens it again (`readingKey`).
 *
 * @see https://www.sqlite.org/wal.html#read_only_databases
 */
export function readingPath(path: string): string {
  const how = hasLog(path) ? 'readonly_shm=1' : 'immutable=1';
  return `${pathToFileURL(resolve(path)).href}?mode=ro&${how}`;
}

/** Differs from what it was where a file must be opened again to see what was written. */
export function readingKey(path: string): string {
  const { mtimeMs, size } = statSync(path);
  return hasLog(path) ? 'with a log' : `${mtimeMs} ${size}`;
}

function hasLog(path: string): boolean {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  return log !== undefined && (log.size > 0 || existsSync(`${path}-shm`));
}
