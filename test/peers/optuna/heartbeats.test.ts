import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Python } from '../../../bench/peers/python.js';
import type { Place } from '../../../bench/places.js';
import { createStudy } from '../../../src/study/create-study.js';
import type { Study } from '../../../src/study/study.js';
import { start } from '../../recipes/run.js';
import { needsPlace } from '../../study/databases.js';
import { middle } from '../../study/sampler.js';
import { needsPython } from '../python.js';
import { storagesOf } from './requirements.js';

/** Seconds without a beat after which a trial is stale; hearts beat every second. */
const GRACE = 8;

const script = new URL('heartbeats.py', import.meta.url);

/** Optuna's workers are named by their URL's dialect: its drivers are other ones. */
const forOptuna = (url: string) =>
  url.replace('postgresql:', 'postgresql+psycopg2:').replace('mysql:', 'mysql+pymysql:');

for (const name of ['sqlite', 'postgresql', 'mysql'])
  describe(`heartbeats beside a live Optuna on ${name}`, () => {
    let python: Python;
    let place: Place;
    let dir: string;
    let study: Study;
    let worker: ChildProcess | undefined;
    before(async function () {
      python = await needsPython(this, 'optuna', storagesOf('4.9.0'));
    });
    beforeEach(async function () {
      place = await needsPlace(this, name);
      dir = mkdtempSync(join(tmpdir(), 'millrace-'));
      study = await createStudy({
        storage: place.url,
        studyName: 'hearts',
        sampler: middle,
        heartbeatInterval: 1,
        gracePeriod: GRACE,
        maxRetries: 0,
      });
    });
    afterEach(async () => {
      worker?.kill('SIGKILL');
      await study?.close();
      await place?.remove();
      if (dir) rmSync(dir, { recursive: true });
    });

    const states = async () => (await study.trials()).map(({ state }) => state);
    const optuna = (what: string) => [
      fileURLToPath(script),
      what,
      forOptuna(place.url),
      'hearts',
      String(GRACE),
    ];

    it('fails the trial of an Optuna that was killed, and not before', async () => {
      worker = spawn(python.path, optuna('hang'), { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(worker.stdout!, 'data');
      for (let second = 0; second < 1.5 * GRACE; second++) {
        await study.failStaleTrials();
        assert.deepEqual(await states(), ['RUNNING']);
        await wait(1000);
      }
      worker.kill('SIGKILL');
      while ((await states())[0] === 'RUNNING') {
        await wait(500);
        await study.failStaleTrials();
      }
      assert.deepEqual(await states(), ['FAIL']);
    });

    it('has the trial of a worker that was killed failed by Optuna, and not before', async () => {
      writeFileSync(
        join(dir, 'hang.mjs'),
        `import { execFileSync } from 'node:child_process';
         export default () => { console.log('begun'); execFileSync('sleep', ['3600']); };`,
      );
      const args = ['--objective=hang.mjs', '--study-name=hearts', `--storage=${place.url}`, '--n-trials=9'];
      worker = start('worker', [...args, '--heartbeat=1', '--sampler=random', '--pruner=none'], dir).process;
      while ((await states()).length === 0) await wait(200);
      const work = async () => {
        const [code] = await once(spawn(python.path, optuna('work'), { stdio: 'inherit' }), 'close');
        assert.equal(code, 0);
      };
      await wait(1.5 * GRACE * 1000);
      await work();
      assert.deepEqual(await states(), ['RUNNING', 'COMPLETE']);
      worker.kill('SIGKILL');
      await wait(1.5 * GRACE * 1000);
      await work();
      assert.deepEqual(await states(), ['FAIL', 'COMPLETE', 'COMPLETE']);
    });
  });
