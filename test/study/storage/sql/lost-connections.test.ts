import assert from 'node:assert/strict';
import { type Place } from '../../../../bench/places.js';
import { createStudy } from '../../../../src/study/create-study.js';
import { openStorage } from '../../../../src/study/open-storage.js';
import { isLostConnection } from '../../../../src/study/storage/sql/lost-connection.js';
import { openDatabase } from '../../../../src/study/storage/sql/open-database.js';
import { retry } from '../../../../src/study/storage/sql/retry.js';
import type { Storage } from '../../../../src/study/storage/storage.js';
import { type CuttingProxy, cuttingProxy } from '../../cutting-proxy.js';
import { needsPlace } from '../../databases.js';
import { middle } from '../../sampler.js';

const FIRST = { state: 'WAITING', systemAttrs: { fixed_params: { x: 1 } } } as const;

for (const name of ['postgresql', 'mysql']) {
  describe(`connections to ${name} that are lost`, () => {
    let place: Place;
    let proxy: CuttingProxy;
    let storage: Storage;
    let study: number;
    let studies = 0;

    before(async function () {
      place = await needsPlace(this, name);
      proxy = await cuttingProxy(place.url);
      storage = await openStorage(proxy.url);
    });
    beforeEach(async () => {
      study = await storage.createStudy(`study ${studies++}`, ['minimize']);
    });
    after(async () => {
      await storage?.close();
      await proxy?.close();
      await place?.remove();
    });
    const heads = async () =>
      (await storage.readHeads(study, -1, [])).map(({ number, state }) => `${number} ${state}`);
    /** Does the work while the connection that says this is cut before its answer. */
    const cutting = async <T>(said: RegExp, work: () => Promise<T>): Promise<T> => {
      const before = proxy.cuts;
      proxy.cutAfter(said);
      const done = await work();
      assert.equal(proxy.cuts, before + 1, 'nothing was cut');
      return done;
    };

    for (const [when, said] of [
      ['after the commit', /commit/i],
      ['before the commit', /insert into .?trials/i],
    ] as const) {
      it(`make no trial twice and lose none: ${when}`, async () => {
        assert.equal((await cutting(said, () => storage.createTrial(study))).number, 0);
        assert.equal((await cutting(said, () => storage.createTrial(study, FIRST))).number, 1);
        const limit = { states: ['RUNNING', 'WAITING'], most: 3 } as const;
        assert.equal((await cutting(said, () => storage.createTrialWithin(study, limit)))?.number, 2);
        assert.deepEqual(await heads(), ['0 RUNNING', '1 WAITING', '2 RUNNING']);
        const [trial] = await storage.readTrials([(await storage.readHeads(study, -1, []))[1]!.id]);
        assert.deepEqual(trial!.systemAttrs, FIRST.systemAttrs);
      });
    }

    if (name === 'postgresql')
      it('make no trial twice where a lost message arrives after the one that was sent in its place', async () => {
        const { trips, db } = await openDatabase(place.url);
        const start = { study, last: 0, time: '2026-01-02 03:04:05', beats: true, token: 'late' };
        assert.equal((await trips!.startTrial(start))?.number, 0);
        assert.equal(await trips!.startTrial(start), undefined);
        assert.equal((await trips!.startTrial({ ...start, token: 'other' }))?.number, 1);
        await db.destroy();
        assert.deepEqual(await heads(), ['0 RUNNING', '1 RUNNING']);
      });

    it('leave a claimed trial with who claimed it, and with nobody else', async () => {
      const { id } = await storage.createTrial(study, FIRST);
      assert.equal(await cutting(/commit/i, () => storage.claimTrial(id, Date.now())), true);
      assert.equal(await storage.claimTrial(id, Date.now()), false);
      const other = await storage.createTrial(study, FIRST);
      await storage.claimTrial(other.id, Date.now());
      assert.equal(await cutting(/commit/i, () => storage.claimTrial(other.id, Date.now())), false);
    });

    it('end a trial once, with its successor', async () => {
      const end = { state: 'COMPLETE', values: [0.1], time: Date.now() } as const;
      const said = name === 'postgresql' ? /update .?trials/i : /commit/i;
      const { id } = await storage.createTrial(study);
      assert.equal(await cutting(said, () => storage.finishTrial(id, end)), true);
      assert.equal(await storage.finishTrial(id, end), false);
      assert.equal(await cutting(said, () => storage.finishTrial(id, { ...end, values: [1] })), false);
      const dead = await storage.createTrial(study);
      const fail = { state: 'FAIL', values: null, time: Date.now() } as const;
      const successor = { study, template: FIRST };
      assert.equal(
        await cutting(/commit/i, () => storage.finishTrial(dead.id, { ...fail, successor })),
        true,
      );
      assert.deepEqual(await heads(), ['0 COMPLETE', '1 FAIL', '2 WAITING']);
      assert.deepEqual((await storage.readTrials([id]))[0]!.values, [0.1]);
    });

    it('make a study once', async () => {
      const id = await cutting(/commit/i, () => storage.createStudy('once', ['maximize']));
      assert.equal((await storage.findStudy('once'))!.id, id);
      await assert.rejects(storage.createStudy('once', ['maximize']), /exists in/);
    });

    it('can be lost at any time without a trace in the study', async () => {
      const search = await createStudy({ storage, studyName: 'search', sampler: middle });
      await search.optimize(
        async (trial) => {
          if (trial.number % 5 === 4) proxy.cutAll();
          await trial.report(trial.suggestFloat('x', 0, 1), 1);
          if (trial.number % 5 === 2) proxy.cutAll();
          return trial.number;
        },
        { trials: 40, concurrency: 4 },
      );
      assert.deepEqual(
        (await search.trials()).map(({ number, state, values }) => [number, state, values]),
        Array.from({ length: 40 }, (_, i) => [i, 'COMPLETE', [i]]),
      );
    });
  });
}

describe('retry', () => {
  const lost = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const database = {
    url: 'postgresql://host/db',
    isTransient: () => false,
    isLost: isLostConnection,
    explain: (error: unknown) => error,
  };

  it('gives up in one line where the server stays away', () =>
    assert.rejects(
      retry(() => Promise.reject(lost), database, 30),
      {
        name: 'UserError',
        message:
          'postgresql://host/db: the connection was lost, and the server gave no other for 0.03 s; ' +
          'check that it runs, and begin again (read ECONNRESET)',
      },
    ));

  it('says that the answer may have been lost, and only then', async () => {
    const seen: boolean[] = [];
    await retry(async (again) => {
      seen.push(again);
      if (seen.length < 3) throw lost;
    }, database);
    assert.deepEqual(seen, [false, true, true]);
  });

  it('leaves other errors alone', () =>
    assert.rejects(
      retry(() => Promise.reject(new RangeError('mine')), database),
      { name: 'RangeError', message: 'mine' },
    ));
});

describe('isLostConnection', () => {
  for (const [what, error] of [
    ['a shut down PostgreSQL', { code: '57P01' }],
    ['one that starts', { code: '57P03' }],
    ['its class 08', { code: '08006' }],
    ['its silent end', { message: 'Connection terminated unexpectedly' }],
    ['a reset', { code: 'ECONNRESET' }],
    ['MariaDB’s end', { code: 'PROTOCOL_CONNECTION_LOST' }],
    ['a connection that is dead', { message: "Can't add new command when connection is in closed state" }],
    ['the first of several', new AggregateError([{ code: 'ECONNREFUSED' }])],
  ] as const)
    it(`knows ${what}`, () => assert(isLostConnection(error)));
  for (const error of [{ code: '23505' }, { code: '28P01' }, new TypeError('x is null'), null])
    it(`is not ${JSON.stringify(error)}`, () => assert(!isLostConnection(error)));
});
