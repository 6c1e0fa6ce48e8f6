import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { openStorage } from '../../src/study/open-storage.js';
import { needsPlace } from './databases.js';

const PEERS = { postgresql: 'postgresql+psycopg2', mysql: 'mysql+pymysql' };

describe('openStorage', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  const refuses = (url: string, message: RegExp) =>
    assert.rejects(openStorage(url), { name: 'UserError', message });

  it('opens what Optuna writes as a relative and an absolute path', async () => {
    const cwd = process.cwd();
    process.chdir(dir);
    try {
      for (const url of [
        'sqlite:///relative.db',
        `sqlite:////${join(dir, 'absolute.db').slice(1)}`,
        'sqlite:///{SCHEMA_VERSION}.db',
        'sqlite+pysqlite:///driver.db',
        'journal://study.log',
      ]) {
        const storage = await openStorage(url);
        await storage.createStudy('here', ['minimize']);
        await storage.close();
      }
      const files = readdirSync(dir).filter((file) => !/-(shm|wal)$/.test(file));
      assert.deepEqual(files.toSorted(), ['12.db', 'absolute.db', 'driver.db', 'relative.db', 'study.log']);
    } finally {
      process.chdir(cwd);
    }
  });

  for (const url of ['sqlite://', 'sqlite:///:memory:', 'memory://'])
    it(`keeps ${url} in memory`, async () => {
      const storage = await openStorage(url);
      await storage.createStudy('here', ['minimize']);
      assert.equal((await storage.studies()).length, 1);
      await storage.close();
    });

  for (const [name, scheme] of Object.entries(PEERS))
    it(`opens ${scheme}:// as ${name}`, async function () {
      const place = await needsPlace(this, name);
      const storage = await openStorage(place.url.replace(name, scheme));
      await storage.createStudy('here', ['minimize']);
      await storage.close();
      await place.remove();
    });

  for (const [what, url, message] of [
    ['no URL', 'study.db', /^storage: expected .*sqlite:\/\/\/study\.db.* got "study\.db"$/],
    ['another database', 'oracle://host/db', /^storage: expected .* got "oracle:\/\/host\/db"$/],
    ['two slashes', 'sqlite://study.db', /expected sqlite:\/\/\/file\.db \(three slashes/],
    [
      'a missing folder',
      'sqlite:////nowhere/at/all/study.db',
      /folder \/nowhere\/at\/all is missing; create it/,
    ],
    [
      'a missing folder for a journal',
      'journal:///nowhere/study.log',
      /folder \/nowhere is missing; create it/,
    ],
    [
      'a closed port',
      'postgresql://postgres@127.0.0.1:9/db',
      /^postgresql:\/\/postgres@127\.0\.0\.1:9\/db: no database server answers; start it/,
    ],
    ['a closed port of MySQL', 'mysql://root@127.0.0.1:9/db', /no database server answers; start it/],
    ['an unknown host', 'postgresql://nobody@no-such-host.invalid/db', /no-such-host\.invalid\/db: the host/],
    [
      'a port that is none',
      'postgresql://localhost:many/db',
      /^postgresql:\/\/localhost:many\/db: expected a URL such as/,
    ],
    [
      'a MySQL user that is no percent-encoding',
      'mysql://%zz@h/x',
      /^mysql:\/\/%zz@h\/x: expected a URL such as .* with a % in it written %25/,
    ],
    [
      'a MySQL port that is none',
      'mysql://localhost:many/db',
      /^mysql:\/\/localhost:many\/db: expected a URL such as/,
    ],
  ] as const)
    it(`refuses ${what}`, () => refuses(url, message));

  it('hides the password in what it says', () =>
    refuses('postgresql://me:s3cret@127.0.0.1:9/db', /^postgresql:\/\/me@127\.0\.0\.1:9\/db: (?!.*s3cret)/));

  for (const scheme of Object.keys(PEERS))
    it(`says which ${scheme} database is missing`, async function () {
      const { url, remove } = await needsPlace(this, scheme);
      await remove();
      await refuses(url, /the database is missing; create it/);
    });

  it('refuses a folder and another file, and leaves them alone', async () => {
    mkdirSync(join(dir, 'folder'));
    writeFileSync(
      join(dir, 'thesis.txt'),
      'precious and long enough to be a header of some database file'.repeat(40),
    );
    await refuses(
      `sqlite:///${join(dir, 'folder')}`,
      /folder: expected a SQLite file that can be read and written, but .*unable to open/i,
    );
    await refuses(`sqlite:///${join(dir, 'thesis.txt')}`, /expected a SQLite file .*, but .*not a database/);
    await refuses(
      `journal://${join(dir, 'folder')}`,
      /expected a file that can be read and written, but EISDIR/,
    );
    await refuses(
      `journal://${join(dir, 'thesis.txt')}`,
      /thesis\.txt, line 1: expected an operation of Optuna's journal, got "precious/,
    );
  });

  it('refuses a heartbeat interval of 0', async () => {
    const url = `sqlite:///${join(dir, 'beat.db')}`;
    await assert.rejects(
      openStorage(url, { heartbeatInterval: 0 }),
      /expected seconds above 0 and up to 2147483 .*, got 0/,
    );
  });

  describe('a database', () => {
    const change = async (path: string, ...statements: string[]) => {
      const storage = await openStorage(`sqlite:///${path}`);
      await storage.close();
      const file = new DatabaseSync(path);
      for (const statement of statements) file.exec(statement);
      file.close();
    };

    it('of another revision is refused, with the way to upgrade it', async () => {
      const path = join(dir, 'old.db');
      await change(path, "update alembic_version set version_num = 'v2.6.0.a'");
      await refuses(
        `sqlite:///${path}`,
        /expected a study database of Optuna's revision v3\.2\.0\.a, got v2\.6\.0\.a; upgrade it with `optuna storage upgrade/,
      );
    });

    it('that lacks tables is refused, and named half migrated', async () => {
      const path = join(dir, 'half.db');
      await change(path, 'drop table trial_heartbeats', 'drop table alembic_version');
      await refuses(
        `sqlite:///${path}`,
        /it has studies, .* but not trial_heartbeats, alembic_version; it is half migrated/,
      );
    });

    it('that does not say its revision is refused', async () => {
      const path = join(dir, 'blank.db');
      await change(path, 'delete from alembic_version');
      await refuses(`sqlite:///${path}`, /version_info or alembic_version is empty; it is half migrated/);
    });

    it('that is being made is waited for', async () => {
      const path = join(dir, 'slow.db');
      await change(path, 'delete from alembic_version');
      const opening = openStorage(`sqlite:///${path}`);
      await new Promise((done) => setTimeout(done, 300));
      const file = new DatabaseSync(path);
      file.exec("insert into alembic_version values ('v3.2.0.a')");
      file.close();
      await (await opening).close();
    });

    it('that holds other tables gets those of a study beside them', async () => {
      const path = join(dir, 'shared.db');
      const file = new DatabaseSync(path);
      file.exec('create table mine (x)');
      file.close();
      const storage = await openStorage(`sqlite:///${path}`);
      await storage.createStudy('here', ['minimize']);
      await storage.close();
    });

    it('is made once when many processes open it', async () => {
      const url = `sqlite:///${join(dir, 'raced.db')}`;
      const storages = await Promise.all(Array.from({ length: 6 }, () => openStorage(url)));
      await storages[0]!.createStudy('here', ['minimize']);
      for (const storage of storages) {
        assert.deepEqual(
          (await storage.studies()).map(({ name }) => name),
          ['here'],
        );
        await storage.close();
      }
    });

    it('that is busy is waited for', async () => {
      const path = join(dir, 'busy.db');
      const storage = await openStorage(`sqlite:///${path}`);
      const study = await storage.createStudy('here', ['minimize']);
      const writer = new DatabaseSync(path);
      writer.exec('begin immediate');
      const creating = storage.createTrial(study);
      let created = false;
      void creating.then(() => {
        created = true;
      });
      await new Promise((done) => setTimeout(done, 200));
      assert.equal(created, false);
      assert.deepEqual(await storage.readTrials([1]), []);
      writer.exec('commit');
      assert.equal((await creating).number, 0);
      writer.close();
      await storage.close();
    });

    it('is in WAL mode', async () => {
      const path = join(dir, 'wal.db');
      await change(path);
      const file = new DatabaseSync(path);
      assert.equal(file.prepare('pragma journal_mode').get().journal_mode, 'wal');
      file.close();
    });
  });

  it('makes the tables of PostgreSQL and MySQL once when many processes open them', async function () {
    for (const name of Object.keys(PEERS)) {
      const place = await needsPlace(this, name);
      const storages = await Promise.all(Array.from({ length: 4 }, () => openStorage(place.url)));
      await storages[0]!.createStudy('here', ['minimize']);
      for (const storage of storages) await storage.close();
      await place.remove();
    }
  });

  it('goes on making the tables of MySQL where one was cut off', async function () {
    const place = await needsPlace(this, 'mysql');
    await (await openStorage(place.url)).close();
    for (const change of [
      'delete from alembic_version',
      'delete from version_info',
      'drop table trial_heartbeats',
      'drop table trial_values',
    ])
      await place.run(change);
    const storage = await openStorage(place.url);
    await storage.createStudy('here', ['minimize']);
    await storage.close();
    await place.remove();
  });

  it('uses the schema of its PostgreSQL connection', async function () {
    const place = await needsPlace(this, 'postgresql');
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: place.url });
    await client.connect();
    await client.query('create schema apart');
    await client.end();
    const [first, second] = [
      await openStorage(place.url),
      await openStorage(`${place.url}?options=-c%20search_path%3Dapart`),
    ];
    await first.createStudy('here', ['minimize']);
    assert.deepEqual(await second.studies(), []);
    await second.createStudy('here', ['minimize']);
    await first.close();
    await second.close();
    await place.remove();
  });
});
