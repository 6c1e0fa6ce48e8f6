import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new, empty place for studies; `remove` takes it away again. */
export interface Place {
  readonly url: string;
  remove(): Promise<void>;
}

/** Where studies can live, by name; each makes a new place, or says why it cannot. */
export const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  memory: async () => ({ url: 'memory://', remove: async () => {} }),
  sqlite: async () => inFolder((folder) => `sqlite:///${join(folder, 'study.db')}`),
  journal: async () => inFolder((folder) => `journal://${join(folder, 'study.log')}`),
  postgresql: newPostgres,
  mysql: newMysql,
};

/** Skips a test or suite whose database server does not answer, and says so. */
export async function needsPlace(test: Mocha.Context, name: string): Promise<Place> {
  try {
    return await PLACES[name]!();
  } catch (error) {
    console.log(`      skipped: no ${name} server: ${(error as Error).message || String(error)}`);
    return test.skip();
  }
}

/** The servers that tests may make databases on; each has a user who may, and needs no password. */
const POSTGRES = process.env['MILLRACE_TEST_POSTGRES'] ?? 'postgresql://postgres@127.0.0.1:5432';
const MYSQL = process.env['MILLRACE_TEST_MYSQL'] ?? 'mysql://root@127.0.0.1:3306';

let made = 0;
const newName = () => `millrace_test_${process.pid}_${made++}`;

function inFolder(urlIn: (folder: string) => string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-study-'));
  return { url: urlIn(folder), remove: async () => rmSync(folder, { recursive: true }) };
}

async function newPostgres(): Promise<Place> {
  const { default: pg } = await import('pg');
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: `${POSTGRES}/postgres`, connectionTimeoutMillis: 3000 });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const name = newName();
  await run(`create database ${name}`);
  return { url: `${POSTGRES}/${name}`, remove: () => run(`drop database ${name} with (force)`) };
}

async function newMysql(): Promise<Place> {
  const { createConnection } = await import('mysql2/promise');
  const run = async (statement: string) => {
    const connection = await createConnection({ uri: MYSQL, connectTimeout: 3000 });
    await connection.query(statement).finally(() => connection.end());
  };
  const name = newName();
  await run(`create database ${name}`);
  return { url: `${MYSQL}/${name}`, remove: () => run(`drop database ${name}`) };
}
