import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fastGlob from 'fast-glob';
import type { Python } from '../../../bench/peers/python.js';
import { loadSharp } from '../../../src/base/sharp.js';
import { wandb } from '../../../src/loggers/wandb.js';
import { log, withFolder } from '../../loggers/log.js';
import { sampleRun } from '../../loggers/sample-run.js';
import { needsPython } from '../python.js';
import { fakeWandb } from './fake-wandb.js';
import { READERS } from './requirements.js';

describe('wandb sync', () => {
  let python: Python;
  before(async function () {
    python = await needsPython(this, 'trackers', READERS);
  });

  it('uploads the run: settings, each row once, pictures, and the exit code', () =>
    withFolder(async (logs) => {
      await mkdir(join(logs, 'pictures'));
      const create = { width: 12, height: 5, channels: 3, background: '#336699' } as const;
      await loadSharp()({ create }).jpeg().toFile(join(logs, 'pictures/epoch-1.jpg'));
      const whole = sampleRun();
      const place = { time: whole[4]!.time, step: 4, epoch: 1 };
      const picture = {
        ...place,
        type: 'picture',
        name: 'validation',
        path: 'pictures/epoch-1.jpg',
      } as const;
      const histogram = { min: -1, max: 3, sum: 4, sumSquares: 20, counts: [2, 4] };
      const weights = { ...place, type: 'weights', histograms: { head: histogram } } as const;
      const first = [...whole.slice(0, 5), picture, weights, ...whole.slice(5, 10)];
      const stopped = wandb()({ logs });
      await log(stopped, first, { close: false });
      await stopped.close!('stopped');
      const resumed = wandb()({ logs, earlier: first.slice(0, 10) });
      await log(resumed, [whole[0]!, ...whole.slice(8)], { close: false });
      await resumed.close!('failed');

      const server = await fakeWandb();
      try {
        const folders = await fastGlob('wandb/offline-run-*', { cwd: logs, onlyDirectories: true });
        assert.equal(folders.length, 1);
        const env = { WANDB_BASE_URL: server.uri, WANDB_API_KEY: '0'.repeat(40), HOME: logs };
        await promisify(execFile)(join(dirname(python.path), 'wandb'), ['sync', ...folders], {
          cwd: logs,
          env: { ...process.env, ...env },
        });
      } finally {
        server.close();
      }
      const { runs, history, files, exitCode } = server.uploaded;
      const { displayName, project, name, config } = runs[0]!;
      assert.deepEqual([displayName, project], ['lora_42', 'millrace']);
      assert.match(String(name), /^[0-9a-f]{8}$/);
      assert.deepEqual((JSON.parse(String(config)) as Record<string, unknown>)['rank'], { value: 4 });
      assert.deepEqual(
        history.map((row) => [row['_step'], row['train/loss']]),
        Array.from({ length: 12 }, (_, i) => [i + 1, 1 / (i + 1)]),
      );
      assert.equal(history[3]!['validation/soft_dice'], 0.6);
      assert.deepEqual(history[3]!['weights/head'], { _type: 'histogram', bins: [-1, 1, 3], values: [2, 4] });
      const { path } = history[3]!['predictions/validation'] as { path: string };
      assert.ok(files.get(path)! > 100, [...files.keys()].join());
      assert.equal(exitCode, 1);
    }));
});
