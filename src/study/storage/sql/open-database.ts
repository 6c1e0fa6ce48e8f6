import { UserError } from '../../../base/errors.js';
import type { Database } from './database.js';
import { fileOf, partsOf } from './database-url.js';
import { openMysql } from './mysql.js';
import { openPostgres } from './postgres.js';
import { openSqlite } from './sqlite.js';

/**
 * Opens the database that a URL names, as Optuna writes it.
 *
 * @param options how many connections at most, where it is a server; whether a file is only read
 * @throws UserError when the URL is of another kind, or nothing answers.
 */
export async function openDatabase(
  url: string,
  { connections, readOnly }: { readonly connections?: number; readonly readOnly?: boolean | undefined } = {},
): Promise<Database> {
  const { scheme, rest } = partsOf(url);
  switch (scheme) {
    case 'sqlite':
      return openSqlite(sqlitePath(url, rest), { readOnly });
    case 'postgresql':
    case 'postgres':
      return openPostgres(`postgresql://${rest}`, connections);
    case 'mysql':
    case 'mariadb':
      return openMysql(`mysql://${rest}`, connections);
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
  return fileOf(url) ?? ':memory:';
}
