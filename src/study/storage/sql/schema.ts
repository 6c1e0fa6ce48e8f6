import { type Kysely, sql } from 'kysely';
import { UserError } from '../../../base/errors.js';
import type { Database } from './database.js';
import { SCHEMA_VERSION } from './database-url.js';
import { mostExactCollation } from './folding.js';
import type { Tables } from './tables.js';

/** The revision of Optuna's schema that is read and written here: Optuna 3.2 to 5. */
export const REVISION = 'v3.2.0.a';
/** New databases say that Optuna 5 made them: their dates are UTC, which no two machines read differently. */
export const LIBRARY_VERSION = '5.0.0';

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
 * Makes Optuna's tables where there are none, and checks the revision where there are; returns the version of
 * the library that made them.
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
      await create(alone, kind);
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

/** How often a database is looked at, 0.1 seconds apart, that Optuna may be making at this moment. */
const PATIENCE = 20;

interface State {
  readonly found: ReadonlySet<string>;
  /** Known when all tables are there and filled. */
  readonly version?: { readonly revision: string; readonly library: string };
}

async function inspect(db: Kysely<Tables>, kind: Database['kind']): Promise<State> {
  const { rows } = await TABLE_NAMES[kind].execute(db);
  const names = new Set(rows.map(({ name }) => name));
  const found = new Set(TABLES.filter((table) => names.has(table)));
  if (found.size < TABLES.length) return { found };
  const revision = await db.selectFrom('alembic_version').select('version_num').executeTakeFirst();
  const info = await db.selectFrom('version_info').select('library_version').executeTakeFirst();
  if (!revision || !info) return { found };
  return { found, version: { revision: revision.version_num, library: info.library_version } };
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

/** The tables where this connection would look for them. */
const TABLE_NAMES = {
  sqlite: sql<{ name: string }>`select name from sqlite_master where type = 'table'`,
  postgresql: sql<{
    name: string;
  }>`select tablename as name from pg_tables where schemaname = current_schema()`,
  mysql: sql<{
    name: string;
  }>`select table_name as name from information_schema.tables where table_schema = database()`,
};

function halfMigrated(url: string, found: ReadonlySet<string>): UserError {
  const missing = TABLES.filter((table) => !found.has(table));
  const what =
    missing.length > 0
      ? `it has ${[...found].join(', ')} but not ${missing.join(', ')}`
      : 'version_info or alembic_version is empty';
  return new UserError(
    `${url}: expected all of Optuna's tables or none, but ${what}; it is half migrated: ` +
      'finish `optuna storage upgrade --storage <url>`, restore it, or use another database',
    { url, found: [...found], missing },
  );
}

/** Column types where databases differ. */
const TYPES = {
  sqlite: { key: 'integer not null', date: 'datetime', float: 'float', long: 'text' },
  postgresql: {
    key: 'serial not null',
    date: 'timestamp without time zone',
    float: 'double precision',
    long: 'text',
  },
  mysql: { key: 'integer not null auto_increment', date: 'datetime', float: 'double', long: 'text' },
} as const;

const ENUMS = {
  studydirection: ['NOT_SET', 'MINIMIZE', 'MAXIMIZE'],
  trialstate: ['RUNNING', 'COMPLETE', 'PRUNED', 'FAIL', 'WAITING'],
  trialvaluetype: ['FINITE', 'INF_POS', 'INF_NEG'],
  trialintermediatevaluetype: ['FINITE', 'INF_POS', 'INF_NEG', 'NAN'],
} as const;

async function create(db: Kysely<Tables>, kind: Database['kind']): Promise<void> {
  const run = async (statement: string) => {
    try {
      await sql.raw(statement).execute(db);
    } catch (error) {
      // What one that was cut off has made is there already.
      const { code = '' } = error as { code?: string };
      if (!(kind === 'mysql' && ['ER_TABLE_EXISTS_ERROR', 'ER_DUP_KEYNAME'].includes(code))) throw error;
    }
  };
  const { key, date, float, long } = TYPES[kind];
  // MySQL's default takes a and A, and most collations a and 'a ', for the same name.
  const text = kind === 'mysql' ? ` character set utf8mb4 collate ${await mostExactCollation(db)}` : '';
  const column = kind === 'mysql' ? '`key`' : '"key"';
  const oneOf = (name: keyof typeof ENUMS): string => {
    if (kind === 'sqlite') return `varchar(${Math.max(...ENUMS[name].map((value) => value.length))})`;
    return kind === 'mysql' ? `enum(${quoted(ENUMS[name])})` : name;
  };
  const table = (name: keyof Tables, id: string, columns: string[]) =>
    run(`create table ${name} (${[`${id} ${key}`, ...columns, `primary key (${id})`].join(', ')})${text}`);
  const ofStudy = 'foreign key (study_id) references studies (study_id)';
  const ofTrial = 'foreign key (trial_id) references trials (trial_id)';
  const attributes = (of: 'study' | 'trial', which: 'user' | 'system') =>
    table(`${of}_${which}_attributes`, `${of}_${which}_attribute_id`, [
      `${of}_id integer`,
      `${column} varchar(512)`,
      `value_json ${long}`,
      `unique (${of}_id, ${column})`,
      of === 'study' ? ofStudy : ofTrial,
    ]);

  if (kind === 'postgresql') {
    for (const [name, values] of Object.entries(ENUMS))
      await run(`create type ${name} as enum (${quoted(values)})`);
  }
  await table('studies', 'study_id', ['study_name varchar(512) not null']);
  await run('create unique index ix_studies_study_name on studies (study_name)');
  await run(
    'create table version_info (version_info_id integer not null, schema_version integer, ' +
      'library_version varchar(256), primary key (version_info_id), check (version_info_id = 1))',
  );
  await table('study_directions', 'study_direction_id', [
    `direction ${oneOf('studydirection')} not null`,
    'study_id integer not null',
    'objective integer not null',
    'unique (study_id, objective)',
    ofStudy,
  ]);
  await attributes('study', 'user');
  await attributes('study', 'system');
  await table('trials', 'trial_id', [
    'number integer',
    'study_id integer',
    `state ${oneOf('trialstate')} not null`,
    `datetime_start ${date}`,
    `datetime_complete ${date}`,
    ofStudy,
  ]);
  await run('create index ix_trials_study_id on trials (study_id)');
  await attributes('trial', 'user');
  await attributes('trial', 'system');
  await table('trial_params', 'param_id', [
    'trial_id integer',
    'param_name varchar(512)',
    `param_value ${float}`,
    `distribution_json ${long}`,
    'unique (trial_id, param_name)',
    ofTrial,
  ]);
  await table('trial_values', 'trial_value_id', [
    'trial_id integer not null',
    'objective integer not null',
    `value ${float}`,
    `value_type ${oneOf('trialvaluetype')} not null`,
    'unique (trial_id, objective)',
    ofTrial,
  ]);
  await table('trial_intermediate_values', 'trial_intermediate_value_id', [
    'trial_id integer not null',
    'step integer not null',
    `intermediate_value ${float}`,
    `intermediate_value_type ${oneOf('trialintermediatevaluetype')} not null`,
    'unique (trial_id, step)',
    ofTrial,
  ]);
  await table('trial_heartbeats', 'trial_heartbeat_id', [
    'trial_id integer not null',
    `heartbeat ${date} not null`,
    'unique (trial_id)',
    ofTrial,
  ]);
  await run(
    'create table alembic_version (version_num varchar(32) not null, ' +
      'constraint alembic_version_pkc primary key (version_num))',
  );
  // Both or neither, where the tables' own statements cannot be.
  const marks = async (writer: Kysely<Tables>) => {
    await writer
      .insertInto('version_info')
      .values({ version_info_id: 1, schema_version: SCHEMA_VERSION, library_version: LIBRARY_VERSION })
      .execute();
    await writer.insertInto('alembic_version').values({ version_num: REVISION }).execute();
  };
  await (db.isTransaction ? marks(db) : db.transaction().execute(marks));
}

function quoted(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}
