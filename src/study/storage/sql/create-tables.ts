import { type Kysely, sql } from 'kysely';
import type { Database } from './database.js';
import { SCHEMA_VERSION } from './database-url.js';
import { mostExactCollation } from './folding.js';
import { OF_STUDY, OF_TRIAL, TableWriter } from './table-writer.js';
import type { Tables } from './tables.js';

/** The revision of Optuna's schema that is read and written here: Optuna 3.2 to 5. */
export const REVISION = 'v3.2.0.a';
/** The version of new databases: Optuna 5, whose dates are UTC and mean the same on all machines. */
const LIBRARY_VERSION = '5.0.0';

/**
 * Creates Optuna's tables and writes their revision; the caller ensures that no other process does so.
 *
 * On MySQL, which makes each table for good at once, those that are there already are left as they are.
 */
export async function createTables(db: Kysely<Tables>, kind: Database['kind']): Promise<void> {
  // MySQL's default takes a and A, and most collations a and 'a ', for the same name.
  const collation = kind === 'mysql' ? await mostExactCollation(db) : undefined;
  const writer = new TableWriter(kind, collation);
  for (const statement of [
    ...writer.enums(),
    ...studyTables(writer),
    ...trialTables(writer),
    REVISION_TABLE,
  ]) {
    try {
      await sql.raw(statement).execute(db);
    } catch (error) {
      const { code = '' } = error as { code?: string };
      if (!(kind === 'mysql' && ['ER_TABLE_EXISTS_ERROR', 'ER_DUP_KEYNAME'].includes(code))) throw error;
    }
  }
  // Both or neither, where the tables' own statements cannot be.
  await (db.isTransaction ? writeRevision(db) : db.transaction().execute(writeRevision));
}

async function writeRevision(db: Kysely<Tables>): Promise<void> {
  await db
    .insertInto('version_info')
    .values({ version_info_id: 1, schema_version: SCHEMA_VERSION, library_version: LIBRARY_VERSION })
    .execute();
  await db.insertInto('alembic_version').values({ version_num: REVISION }).execute();
}

const VERSION_TABLE =
  'create table version_info (version_info_id integer not null, schema_version integer, ' +
  'library_version varchar(256), primary key (version_info_id), check (version_info_id = 1))';
const REVISION_TABLE =
  'create table alembic_version (version_num varchar(32) not null, ' +
  'constraint alembic_version_pkc primary key (version_num))';

function studyTables(writer: TableWriter): string[] {
  return [
    writer.table('studies', 'study_id', ['study_name varchar(512) not null']),
    'create unique index ix_studies_study_name on studies (study_name)',
    VERSION_TABLE,
    writer.table('study_directions', 'study_direction_id', [
      `direction ${writer.oneOf('studydirection')} not null`,
      'study_id integer not null',
      'objective integer not null',
      'unique (study_id, objective)',
      OF_STUDY,
    ]),
    writer.attributes('study', 'user'),
    writer.attributes('study', 'system'),
  ];
}

function trialTables(writer: TableWriter): string[] {
  const { date, float } = writer;
  return [
    writer.table('trials', 'trial_id', [
      'number integer',
      'study_id integer',
      `state ${writer.oneOf('trialstate')} not null`,
      `datetime_start ${date}`,
      `datetime_complete ${date}`,
      OF_STUDY,
    ]),
    'create index ix_trials_study_id on trials (study_id)',
    writer.attributes('trial', 'user'),
    writer.attributes('trial', 'system'),
    writer.table('trial_params', 'param_id', [
      'trial_id integer',
      'param_name varchar(512)',
      `param_value ${float}`,
      'distribution_json text',
      'unique (trial_id, param_name)',
      OF_TRIAL,
    ]),
    writer.table('trial_values', 'trial_value_id', [
      'trial_id integer not null',
      'objective integer not null',
      `value ${float}`,
      `value_type ${writer.oneOf('trialvaluetype')} not null`,
      'unique (trial_id, objective)',
      OF_TRIAL,
    ]),
    writer.table('trial_intermediate_values', 'trial_intermediate_value_id', [
      'trial_id integer not null',
      'step integer not null',
      `intermediate_value ${float}`,
      `intermediate_value_type ${writer.oneOf('trialintermediatevaluetype')} not null`,
      'unique (trial_id, step)',
      OF_TRIAL,
    ]),
    writer.table('trial_heartbeats', 'trial_heartbeat_id', [
      'trial_id integer not null',
      `heartbeat ${date} not null`,
      'unique (trial_id)',
      OF_TRIAL,
    ]),
  ];
}
