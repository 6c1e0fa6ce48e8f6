import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new, empty place for studies; `remove` takes it away again. */
export interface Place {
  readonly url: string;
  /** Runs a statement beside the storage, where it is a database. */
  run(statement: string): Promise<void>;
  remove(): Promise<void>;
}

/** Where studies can live, by name; each makes a new place, or says why it cannot. */
export const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  memory: async () => ({ url: 'memory://', run: noDatabase, remove: async () => {} }),
  sqlite: newSqlite,
  journal: async () => {
    const folder = newFolder();
    const url = `journal://${join(folder, 'study.log')}`;
    return { url, run: noDatabase, remove: async () => rmSync(folder, { recursive: true }) };
  },
  postgresql: newPostgres,
  mysql: newMysql,
};

/** The servers that benchmarks and tests may make databases on; each has a user who may, and needs no password. */
const POSTGRES = process.env['MILLRACE_TEST_POSTGRES'] ?? 'postgresql://postgres@127.0.0.1:5432';
const MYSQL = process.env['MILLRACE_TEST_MYSQL'] ?? 'mysql://root@127.0.0.1:3306';

let count = 0;
const newName = () => `millrace_test_${process.pid}_${count++}`;

const newFolder = () => mkdtempSync(join(tmpdir(), 'millrace-study-'));

async function noDatabase(): Promise<void> {
  throw new Error('this storage is no database');
}

async function newSqlite(): Promise<Place> {
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const folder = newFolder();
  const path = join(folder, 'study.db');
  const run = async (statement: string) => {
    const file = new DatabaseSync(path, { timeout: 5000 });
    file.exec(statement);
    file.close();
  };
  return { url: `sqlite:///${path}`, run, remove: async () => rmSync(folder, { recursive: true }) };
}

async function newPostgres(): Promise<Place> {
  const { default: pg } = await import('pg');
  const runIn = async (database: string, statement: string) => {
    const connectionString = `${POSTGRES}/${database}`;
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3000 });
    // One that the statement of another ends fails by itself.
    client.on('error', () => {});
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const name = newName();
  await runIn('postgres', `create database ${name}`);
  return {
    url: `${POSTGRES}/${name}`,
    run: (statement) => runIn(name, statement),
    remove: () => runIn('postgres', `drop database ${name} with (force)`),
  };
}

async function newMysql(): Promise<Place> {
  const { createConnection } = await import('mysql2/promise');
  const runIn = async (database: string, statement: string) => {
    const connection = await createConnection({ uri: `${MYSQL}/${database}`, connectTimeout: 3000 });
    await connection.query(statement).finally(() => connection.end());
  };
  const name = newName();
  await runIn('', `create database ${name}`);
  return {
    url: `${MYSQL}/${name}`,
    run: (statement) => runIn(name, statement),
    remove: () => runIn('', `drop database ${name}`),
  };
}
