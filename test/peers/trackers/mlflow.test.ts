import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, Subject, toArray } from 'rxjs';
import type { Python } from '../../../bench/peers/python.js';
import { logTo } from '../../../operators/log-to.js';
import { loadSharp } from '../../../src/base/sharp.js';
import type { Event } from '../../../src/events/event.js';
import type { LoggedRun, RunEnd } from '../../../src/loggers/logger.js';
import { mlflow } from '../../../src/loggers/mlflow.js';
import { log, withFolder } from '../../loggers/log.js';
import { runEvent, sampleRun } from '../../loggers/sample-run.js';
import { needsPython } from '../python.js';
import { MlflowServer } from './mlflow-server.js';
import { MLFLOW } from './requirements.js';

interface Read {
  readonly name: string;
  readonly id: string;
  readonly status: string;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, readonly (readonly [step: number, value: number | string])[]>>;
  readonly artifacts: readonly (readonly [path: string, size: number])[];
}

describe("MLflow's server and client", () => {
  let python: Python;
  let dir: string;
  let server: MlflowServer;
  before(async function () {
    python = await needsPython(this, 'mlflow', MLFLOW);
    dir = await mkdtemp(join(tmpdir(), 'millrace-mlflow-'));
    server = await MlflowServer.start(python, dir);
  });
  after(async () => {
    await server?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  const options = () => ({ uri: server.uri, experiment: 'peers', pause: 10, timeout: 30 });
  async function logAll(run: LoggedRun, events: readonly Event[], end: RunEnd) {
    const logger = mlflow(options())(run);
    await log(logger, events, { close: false });
    await logger.close!(end);
  }

  it('read settings, numbers, pictures and the end, of one run through a resume', () =>
    withFolder(async (logs) => {
      const whole = sampleRun();
      const create = { width: 12, height: 5, channels: 3, background: '#336699' } as const;
      const jpeg = await loadSharp()({ create }).jpeg().toFile(join(logs, 'epoch-1.jpg'));
      const place = { time: whole[4]!.time, step: 4, epoch: 1 };
      const picture = { ...place, type: 'picture', name: 'validation', path: 'epoch-1.jpg' } as const;
      const first = [...whole.slice(0, 6), picture, ...whole.slice(6, 10)];
      await logAll({ logs }, first, 'stopped');
      const again = runEvent({ epochs: 4, time: whole[0]!.time + 60_000 });
      await logAll({ logs, earlier: first.slice(0, 9) }, [again, ...whole.slice(8)], 'finished');
      const nan = { ...whole[1]!, loss: Number.NaN } as Event;
      const infinite = { ...whole[1]!, step: 2, loss: Number.NEGATIVE_INFINITY } as Event;
      await logAll({}, [runEvent({ run: 'broken' }), nan, infinite], 'failed');
      await logAll({}, [runEvent({ run: 'killed' })], 'stopped');

      const script = new URL('read_mlflow.py', import.meta.url);
      const runs = await python.json<Read[]>(script, [server.uri, 'peers']);
      const [resumed, broken, killed] = ['lora_42', 'broken', 'killed'].map((name) => {
        const found = runs.filter((run) => run.name === name);
        assert.equal(found.length, 1, name);
        return found[0]!;
      });
      assert.deepEqual([resumed!.status, broken!.status, killed!.status], ['FINISHED', 'FAILED', 'KILLED']);
      assert.deepEqual([resumed!.params['rank'], resumed!.params['epochs']], ['4', '3']);
      assert.equal(resumed!.tags['resumed.epochs'], '4');
      assert.deepEqual(
        resumed!.metrics['train/loss'],
        Array.from({ length: 12 }, (_, i) => [i + 1, 1 / (i + 1)]),
      );
      assert.deepEqual(
        resumed!.metrics['validation_dice/pet'],
        [1, 2, 3].map((epoch) => [4 * epoch, 0.5 + epoch / 10]),
      );
      assert.deepEqual(resumed!.artifacts, [['predictions/epoch-1.jpg', jpeg.size]]);
      const [undefinedLoss, infiniteLoss] = broken!.metrics['train/loss']!;
      assert.deepEqual(undefinedLoss, [1, 'nan']);
      // MLflow stores the infinities as the largest numbers.
      assert.deepEqual([infiniteLoss![0], Number(infiniteLoss![1]) < -1e307], [2, true]);
    }));

  it('read a study as a run, with its trials as children and plots among their artifacts', () =>
    withFolder(async (plots) => {
      await writeFile(join(plots, 'loss.png'), 'png');
      const factory = mlflow(options());
      const ends: readonly RunEnd[] = ['finished', 'stopped', 'failed'];
      for (const [trial, end] of ends.entries()) {
        const logger = factory({ plots, study: { name: 'hills', trial } });
        await log(logger, [runEvent({ run: `hills_${trial}` })], { close: false });
        await logger.close!(end);
      }
      // A tracker that gives up leaves no run that goes on.
      const given = factory({ study: { name: 'hills', trial: 3 } });
      await log(given, [runEvent({ run: 'hills_3' })], { close: false });
      await given.close!();

      const script = new URL('read_mlflow.py', import.meta.url);
      const runs = await python.json<Read[]>(script, [server.uri, 'peers']);
      const parents = runs.filter(({ name }) => name === 'hills');
      assert.equal(parents.length, 1);
      const trials = [0, 1, 2, 3].map((trial) => runs.find(({ name }) => name === `hills_${trial}`)!);
      assert.deepEqual(
        trials.map(({ status }) => status),
        ['FINISHED', 'KILLED', 'FAILED', 'FAILED'],
      );
      for (const { tags } of trials) assert.equal(tags['mlflow.parentRunId'], parents[0]!.id);
      assert.equal(parents[0]!.status, 'FAILED');
      assert.deepEqual(trials[0]!.artifacts, [['plots/loss.png', 3]]);
    }));

  it('cost a run one warning where the server dies in the middle of it', async () => {
    const events = new Subject<Event>();
    const out = lastValueFrom(events.pipe(logTo({}, mlflow(options())), toArray()));
    const whole = sampleRun();
    for (const event of whole.slice(0, 6)) events.next(event);
    await server.stop();
    for (const event of whole.slice(6)) events.next(event);
    events.complete();
    const warnings = (await out).filter((event) => event.type === 'warning');
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['logger-failed'],
    );
    assert.match(warnings[0]!.message, /gave up after 3 tries in a row \(ECONNREFUSED\)/);
  });
});
