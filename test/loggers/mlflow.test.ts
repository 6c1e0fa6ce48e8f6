import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { logTo } from '../../operators/log-to.js';
import { UserError } from '../../src/base/errors.js';
import { mlflow } from '../../src/loggers/mlflow.js';
import { FakeMlflow, type Fault } from './fake-mlflow.js';
import { log, withFolder } from './log.js';
import { runEvent, sampleRun } from './sample-run.js';

describe('mlflow', () => {
  let server: FakeMlflow;
  beforeEach(async () => {
    server = new FakeMlflow();
    await server.start();
  });
  afterEach(() => server.stop());

  /** The warnings of a whole run that is logged. */
  async function warningsOf(timeout: number): Promise<string[]> {
    const logger = mlflow({ uri: server.uri, timeout, pause: 1 });
    const events = await lastValueFrom(from(sampleRun()).pipe(logTo({}, logger), toArray()));
    const warnings = events.filter((event) => event.type === 'warning');
    assert.equal(events.length, sampleRun().length + warnings.length);
    return warnings.map(({ message }) =>
      message.replace(server.uri, 'URI').replace(/ECONNRESET|UND_ERR_SOCKET/, 'dropped'),
    );
  }

  const address = "; is it an MLflow server's address (MLFLOW_TRACKING_URI)?";
  const gaveUp = (why: string) =>
    `mlflow no longer logs: URI: gave up after 3 tries in a row (${why})${address}`;
  const faults: Record<Exclude<Fault, 'loses answers'>, string> = {
    hangs: gaveUp('silence'),
    fails: gaveUp('HTTP 500'),
    drops: gaveUp('dropped'),
    strange: `mlflow no longer logs: URI: expected an answer of MLflow, got another one${address}`,
  };
  for (const fault of ['hangs', 'fails', 'drops', 'strange'] as const) {
    it(`costs a run one warning where its server ${fault === 'strange' ? 'is another one' : fault}`, async () => {
      server.fault = fault;
      assert.deepEqual(await warningsOf(0.05), [faults[fault]]);
    });
    if (fault === 'strange') continue;
    it(`costs a run one warning where its server ${fault} in the middle of it`, async () => {
      Object.assign(server, { fault, soundFor: 5 });
      assert.deepEqual(await warningsOf(1), [faults[fault]]);
      assert.equal(server.runs.length, 1);
    });
  }

  it('ends the run of a tracker that gave up as failed, where the server takes that', async () => {
    Object.assign(server, { fault: 'fails', soundFor: 5, faultyUntil: 8 });
    assert.deepEqual(await warningsOf(1), [gaveUp('HTTP 500')]);
    assert.deepEqual(
      server.runs.map(({ status }) => status),
      ['FAILED'],
    );
    // Wherever it fails after the first run of a study is there: at its creation, that of its trial, or later.
    for (let sound = 3; sound < 10; sound++) {
      server.runs.length = 0;
      Object.assign(server, { soundFor: server.calls + sound, faultyUntil: server.calls + sound + 3 });
      const logger = mlflow({ uri: server.uri, pause: 1 })({ study: { name: 'hills', trial: 0 } });
      await lastValueFrom(from(sampleRun()).pipe(logTo({}, logger), toArray()));
      const statuses = server.runs.map(({ status }) => status);
      assert.deepEqual([...new Set(statuses)], ['FAILED'], `${sound} calls answered: ${statuses.join()}`);
    }
  });

  it('makes one run where the answer to its creation is lost', async () => {
    Object.assign(server, { fault: 'loses answers', soundFor: 3, faultyUntil: 5 });
    assert.deepEqual(await warningsOf(1), []);
    assert.deepEqual(
      server.runs.map(({ id, status }) => [id, status]),
      [['run2', 'FINISHED']],
    );
  });

  it('gets over a server that fails for a moment', async () => {
    const flaky = new FakeMlflow();
    await flaky.start();
    flaky.fault = 'fails';
    const logger = mlflow({ uri: flaky.uri, pause: 20 })({});
    const logging = log(logger, sampleRun(), { close: false });
    while (flaky.calls === 0) await new Promise((resolve) => setImmediate(resolve));
    flaky.fault = undefined;
    await logging;
    await logger.close!('finished');
    assert.equal(flaky.runs[0]!.points.filter(({ key }) => key === 'train/loss').length, 12);
    await flaky.stop();
  });

  it('stores the pictures of predictions and the files of the logs', () =>
    withFolder(async (logs) => {
      await mkdir(join(logs, 'pictures'));
      await writeFile(join(logs, 'pictures/epoch-1.jpg'), 'jpeg');
      await writeFile(join(logs, 'metrics.csv'), 'epoch\n');
      const plots = join(logs, 'plots');
      await mkdir(plots);
      for (const name of ['loss.png', 'loss.svg']) await writeFile(join(plots, name), name);
      const logger = mlflow({ uri: server.uri })({ logs, plots });
      const path = 'pictures/epoch-1.jpg';
      const picture = { type: 'picture', time: 1, name: 'validation', path, step: 4, epoch: 1 } as const;
      await log(logger, [runEvent(), picture], { close: false });
      await logger.close!('finished');
      const stored = [...server.artifacts].map(([name, data]) => [name, data.toString()]);
      assert.deepEqual(stored, [
        ['1/run0/artifacts/predictions/epoch-1.jpg', 'jpeg'],
        ['1/run0/artifacts/metrics.csv', 'epoch\n'],
        ['1/run0/artifacts/plots/loss.png', 'loss.png'],
      ]);
    }));

  it('notes the settings that a resumed run has changed as tags', () =>
    withFolder(async (logs) => {
      const options = { uri: server.uri };
      const first = [runEvent({ epochs: 3 })];
      await log(mlflow(options)({ logs }), first);
      await log(mlflow(options)({ logs, earlier: first }), [
        runEvent({ epochs: 5, config: { rank: 4, ema: 0.9 } }),
      ]);
      const [run, ...others] = server.runs;
      assert.equal(others.length, 0);
      assert.deepEqual([run!.params.get('epochs'), run!.params.get('ema')], ['3', '0.9']);
      const tags = [...run!.tags].filter(([name]) => name.startsWith('resumed.'));
      assert.deepEqual(tags, [['resumed.epochs', '5']]);
    }));

  it('begins a new run where the one that it knew was deleted, or is on another server', () =>
    withFolder(async (logs) => {
      const whole = sampleRun();
      await log(mlflow({ uri: server.uri })({ logs }), whole.slice(0, 6));
      server.runs.length = 0;
      await log(mlflow({ uri: server.uri })({ logs, earlier: whole.slice(0, 6) }), whole.slice(6));
      assert.equal(server.runs.length, 1);
      const record = JSON.parse(await readFile(join(logs, 'mlflow.json'), 'utf8'));
      await writeFile(join(logs, 'mlflow.json'), JSON.stringify({ ...record, uri: 'http://127.0.0.1:1' }));
      await log(mlflow({ uri: server.uri })({ logs, earlier: whole.slice(0, 6) }), whole.slice(6));
      assert.equal(server.runs.length, 2);
    }));

  it('writes names that MLflow takes', async () => {
    const classes = ['cat & dog', 'Straße', 'x'];
    const logger = mlflow({ uri: server.uri })({});
    const event = runEvent({ classes, config: { 'a=b': 'x'.repeat(7000) } });
    await log(logger, [event, ...sampleRun().slice(5, 8)], { close: false });
    await logger.close!('finished');
    const [run] = server.runs;
    const names = new Set(run!.points.map(({ key }) => key));
    assert.ok(
      names.has('validation_dice/cat _ dog') && names.has('validation_dice/Stra_e'),
      [...names].join(),
    );
    assert.equal(run!.params.get('a_b')!.length, 6000);
  });

  it('refuses an address that is not HTTP', () => {
    assert.throws(() => mlflow({ uri: 'sqlite:///mlflow.db' })({}), UserError);
  });
});
