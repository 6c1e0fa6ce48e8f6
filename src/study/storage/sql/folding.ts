import { type Kysely, sql } from 'kysely';
import type { StorageLimits } from '../storage.js';
import type { Tables } from './tables.js';

/** Collations that compare every letter, of MariaDB and of MySQL. */
const EXACT = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

/** A collation of this server that distinguishes all names, or one that ignores trailing blanks. */
export async function mostExactCollation(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select collation_name as name from information_schema.collations
    where collation_name in (${sql.join(EXACT)})`.execute(db);
  return rows[0]?.name ?? 'utf8mb4_bin';
}

/**
 * How the tables fold names: databases made by Optuna have the server's collation, which mostly ignores case and
 * accents.
 *
 * What is folded here is what most collations fold; the storage asks the database itself about the rest.
 */
export async function folding(db: Kysely<Tables>): Promise<StorageLimits['fold']> {
  const { rows } = await sql<{ name: string }>`
    select distinct collation_name as name from information_schema.columns
    where table_schema = database() and column_name in ('study_name', 'key', 'param_name')`.execute(db);
  const names = rows.map(({ name }) => name).filter((name) => !EXACT.includes(name));
  if (names.length === 0) return undefined;
  if (names.every((name) => name.endsWith('_bin'))) return withoutBlanks;
  return (name) => withoutBlanks(name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase());
}

function withoutBlanks(name: string): string {
  return name.replace(/ +$/, '');
}
