import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createStudy, loadStudy } from '../../../../src/study/create-study.js';
import { openStorage } from '../../../../src/study/open-storage.js';
import { heartbeatOf } from '../../../../src/study/storage/sql/heartbeat-options.js';
import { needsPlace, stopHeart } from '../../databases.js';
import { middle } from '../../sampler.js';

const source = (path: string) => JSON.stringify(new URL(`../../../../src/${path}`, import.meta.url).href);

/** Runs a module in a process of its own while this thread waits, and returns what it printed. */
function beside(program: string): string {
  const node = ['--import', 'tsx', '--input-type=module', '-e', program];
  return execFileSync(process.execPath, node, { encoding: 'utf8' });
}

describe('the heart', () => {
  for (const name of ['sqlite', 'postgresql', 'mysql'])
    it(`beats on ${name} while an objective blocks the event loop`, async function () {
      const place = await needsPlace(this, name);
      const options = { storage: place.url, studyName: 'here', heartbeatInterval: 0.2, gracePeriod: 3600 };
      const study = await createStudy({ ...options, sampler: middle });
      const trial = await study.ask();
      await stopHeart(place, trial.record.id);
      // This thread does not turn until the other process has seen the trial beat again.
      const stale = beside(`
        import { openStorage } from ${source('study/open-storage.ts')};
        const storage = await openStorage(${JSON.stringify(place.url)}, { heartbeatInterval: 0.2, gracePeriod: 3600 });
        const ids = [${trial.record.id}];
        for (let i = 0; i < 300 && (await storage.staleTrials(ids)).length > 0; i++)
          await new Promise((done) => setTimeout(done, 50));
        console.log(await storage.staleTrials(ids));
        await storage.close();`);
      assert.equal(stale, '[]\n');
      await study.tell(trial, 1);
      await study.close();
      await place.remove();
    });

  it('does not keep its process running', async function () {
    const place = await needsPlace(this, 'sqlite');
    const printed = beside(`
      import { createStudy } from ${source('study/create-study.ts')};
      const study = await createStudy({ storage: ${JSON.stringify(place.url)}, heartbeatInterval: 60 });
      console.log((await study.ask()).number);`);
    assert.equal(printed, '0\n');
    await place.remove();
  });

  it('is not needed in memory, which no other process sees', async () => {
    for (const url of ['sqlite://', 'memory://']) {
      const storage = await openStorage(url, { heartbeatInterval: 60 });
      assert.equal(storage.heartbeat, undefined);
      await storage.close();
    }
  });
});

describe('heartbeats of PostgreSQL', () => {
  it('are the same in sessions of any time zone', async function () {
    const place = await needsPlace(this, 'postgresql');
    const heart = { heartbeatInterval: 600, gracePeriod: 600, studyName: 'zones', sampler: middle };
    const study = await createStudy({ ...heart, storage: place.url });
    const [trial, dead] = [await study.ask(), await study.ask()];
    await stopHeart(place, dead.record.id);
    for (const zone of ['Pacific/Auckland', 'America/Los_Angeles']) {
      const storage = await openStorage(`${place.url}?options=-c%20TimeZone%3D${zone}`, heart);
      assert.deepEqual(await storage.staleTrials!([trial.record.id, dead.record.id]), [dead.record.id]);
      const id = (await storage.findStudy('zones'))!.id;
      const own = await storage.createTrial(id);
      assert.deepEqual(await study.storage.staleTrials!([own.id]), []);
      await storage.close();
    }
    await study.close();
    await place.remove();
  });

  it('are in the zone of the database, as those of Optuna', async function () {
    const place = await needsPlace(this, 'postgresql');
    await place.run(
      `do $$ begin execute format('alter database %I set timezone = %L', current_database(), 'Asia/Tokyo'); end $$`,
    );
    const study = await createStudy({ storage: place.url, heartbeatInterval: 600, sampler: middle });
    const { id } = (await study.ask()).record;
    // As Optuna does: now, in the zone of a session that has none of its own.
    await place.run(`do $$ begin assert (select abs(extract(epoch from localtimestamp - heartbeat)) < 60
      from trial_heartbeats where trial_id = ${id}); end $$`);
    await place.run(`update trial_heartbeats set heartbeat = current_timestamp`);
    assert.deepEqual(await study.storage.staleTrials!([id]), []);
    await study.close();
    await place.remove();
  });
});

describe('heartbeatOf', () => {
  it('defaults to a grace period of two intervals', () => {
    assert.equal(heartbeatOf({}), undefined);
    assert.deepEqual(heartbeatOf({ heartbeatInterval: 60 }), { interval: 60, grace: 120 });
    assert.deepEqual(heartbeatOf({ heartbeatInterval: 60, gracePeriod: 60 }), { interval: 60, grace: 60 });
  });

  for (const heartbeatInterval of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e9, 2_147_484])
    it(`refuses an interval of ${heartbeatInterval}`, () =>
      assert.throws(() => heartbeatOf({ heartbeatInterval }), {
        name: 'UserError',
        message: `heartbeatInterval: expected seconds above 0 and up to 2147483 (24 days), got ${heartbeatInterval}`,
      }));

  for (const gracePeriod of [0, -1, 59, Number.NaN, Number.POSITIVE_INFINITY])
    it(`refuses a grace of ${gracePeriod} with an interval of 60`, () =>
      assert.throws(() => heartbeatOf({ heartbeatInterval: 60, gracePeriod }), {
        name: 'UserError',
        message: new RegExp(
          `^gracePeriod: expected seconds from the heartbeatInterval, 60, up, got ${gracePeriod};`,
        ),
      }));

  it('refuses a grace period without an interval, in every storage', async () => {
    await assert.rejects(
      loadStudy({ storage: 'memory://', gracePeriod: 1 }),
      /^UserError: gracePeriod: expected it with/,
    );
  });
});
