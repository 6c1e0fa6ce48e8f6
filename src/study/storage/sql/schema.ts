import { type Kysely, sql } from 'kysely';
import { UserError } from '../../../base/errors.js';
import { createTables, REVISION } from './create-tables.js';
import type { Database } from './database.js';
import type { Tables } from './tables.js';

const TABLES: readonly (keyof Tables)[] = [
  'studies',
  'version_info',
  'study_directions',
  'study_user_attributes',
  'study_system_attributes',
  'trials',
  'trial_user_attributes',
  'trial_system_attributes',
  'trial_params',
  'trial_values',
  'trial_intermediate_values',
  'trial_heartbeats',
  'alembic_version',
];

/**
 * Creates Optuna's tables if there are none, and otherwise checks their revision; returns the version of the library
 * that made them.
 *
 * @throws UserError when some tables are missing, or the revision is another.
 */
export async function prepareSchema(database: Database): Promise<string> {
  const { db, kind, url } = database;
  let state = await inspect(db, kind);
  for (let attempt = 0; !state.version; attempt++) {
    if (attempt === PATIENCE) throw halfMigrated(url, state.found);
    if (attempt > 0) await new Promise((done) => setTimeout(done, 100));
    state = await database.exclusively(async (alone) => {
      const now = await inspect(alone, kind);
      const unfinished = attempt === PATIENCE - 1 && (await isUnfinished(alone, kind, now));
      if (now.found.size > 0 && !unfinished) return now;
      await createTables(alone, kind);
      return inspect(alone, kind);
    });
  }
  const { revision, library } = state.version;
  if (revision === REVISION) return library;
  throw new UserError(
    `${url}: expected a study database of Optuna's revision ${REVISION}, got ${revision}; ` +
      'upgrade it with `optuna storage upgrade --storage <url>`, or use another database',
    { url, expected: REVISION, got: revision },
  );
}

/** How often to check, every 0.1 seconds, a database that Optuna may be creating at this moment. */
const PATIENCE = 20;

interface State {
  readonly found: ReadonlySet<string>;
  /** Known when all tables are there and filled. */
  readonly version?: { readonly revision: string; readonly library: string };
}

async function inspect(db: Kysely<Tables>, kind: Database['kind']): Promise<State> {
  const { rows } = await TABLE_NAMES[kind].execute(db);
  const names = new Set(rows.map(({ name }) => name));
  const tables = new Set(TABLES.filter((table) => names.has(table)));
  if (tables.size < TABLES.length) return { found: tables };
  const revision = await db.selectFrom('alembic_version').select('version_num').executeTakeFirst();
  const info = await db.selectFrom('version_info').select('library_version').executeTakeFirst();
  if (!revision || !info) return { found: tables };
  return { found: tables, version: { revision: revision.version_num, library: info.library_version } };
}

/**
 * Whether whoever made the tables was cut off: MySQL makes each for good at once. The revision is written last, and
 * the library's version with it.
 */
async function isUnfinished(db: Kysely<Tables>, kind: Database['kind'], { found }: State): Promise<boolean> {
  if (kind !== 'mysql') return false;
  const has = async (table: 'alembic_version' | 'version_info') =>
    found.has(table) && (await db.selectFrom(table).selectAll().executeTakeFirst()) !== undefined;
  return !(await has('alembic_version')) && !(await has('version_info'));
}

/** The tables in the schema that this connection uses. */
const TABLE_NAMES = {
  sqlite: sql<{ name: string }>`select name from sqlite_master where type = 'table'`,
  postgresql: sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = current_schema()`,
  mysql: sql<{
    name: string;
  }>`select table_name as name from information_schema.tables where table_schema = database()`,
};

function halfMigrated(url: string, tables: ReadonlySet<string>): UserError {
  const missing = TABLES.filter((table) => !tables.has(table));
  const what =
    missing.length > 0
      ? `it has ${[...tables].join(', ')} but not ${missing.join(', ')}`
      : 'version_info or alembic_version is empty';
  return new UserError(
    `${url}: expected all of Optuna's tables or none, but ${what}; it is half migrated: ` +
      'finish `optuna storage upgrade --storage <url>`, restore it, or use another database',
    { url, found: [...tables], missing },
  );
}
