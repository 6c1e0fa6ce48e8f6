import type { Kysely } from 'kysely';
import type { Database } from './database.js';
import type { Tables } from './tables.js';

/** Inserts one row and returns its key. */
export async function insertRow(
  db: Kysely<Tables>,
  kind: Database['kind'],
  table: 'studies' | 'trials',
  key: string,
  row: Record<string, string | number | null>,
): Promise<number> {
  const rows = db as unknown as Kysely<Record<string, Record<string, string | number | null>>>;
  const query = rows.insertInto(table).values(row);
  if (kind !== 'postgresql') return Number((await query.executeTakeFirstOrThrow()).insertId);
  return Number((await query.returning(key).executeTakeFirstOrThrow())[key]);
}
