import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';
import { loadSharp } from '../../../src/base/sharp.js';
import { tensorBoard } from '../../../src/loggers/tensor-board.js';
import { log, withFolder } from '../../loggers/log.js';
import { sampleRun, scores } from '../../loggers/sample-run.js';
import { needsPython } from '../python.js';
import { READERS } from './requirements.js';

interface Read {
  readonly scalars: Readonly<Record<string, readonly [step: number, value: number][]>>;
  readonly images: Readonly<Record<string, readonly number[][]>>;
  readonly histograms: Readonly<Record<string, readonly unknown[]>>;
  readonly hparams: Readonly<Record<string, unknown>>;
  readonly group: string;
  readonly status: number;
  readonly metrics: readonly string[];
}

describe("TensorBoard's own reader", () => {
  let python: Python;
  before(async function () {
    python = await needsPython(this, 'trackers', READERS);
  });

  it('reads scalars, pictures, histograms and settings', () =>
    withFolder(async (dir) => {
      await mkdir(join(dir, 'pictures'));
      const create = { width: 12, height: 5, channels: 3, background: '#336699' } as const;
      const jpeg = await loadSharp()({ create }).jpeg().toBuffer();
      await writeFile(join(dir, 'pictures/epoch-1.jpg'), jpeg);
      const [run, ...events] = sampleRun();
      const histogram = { min: -1, max: 3, sum: 4, sumSquares: 20, counts: [2, 0, 1, 3] };
      const epoch = { time: 1, step: 4, epoch: 1 };
      const logger = tensorBoard()({ logs: dir, metrics: () => ({ scores: () => scores(0) }) });
      await log(
        logger,
        [
          run!,
          { ...epoch, type: 'picture', name: 'validation', path: 'pictures/epoch-1.jpg' },
          { ...epoch, type: 'weights', histograms: { 'block.0': histogram } },
          ...events,
        ],
        { close: false },
      );
      await logger.close!('finished');

      const read = await python.json<Read>(new URL('read_tensor_board.py', import.meta.url), [dir]);
      const steps = Array.from({ length: 12 }, (_, i) => i + 1);
      assert.deepEqual(
        read.scalars['train/loss'],
        steps.map((step) => [step, Math.fround(1 / step)]),
      );
      assert.deepEqual(read.scalars['test_iou/background'], [[12, Math.fround(9 / 11)]]);
      assert.deepEqual(read.images, { 'predictions/validation': [[4, 12, 5, jpeg.length]] });
      assert.deepEqual(read.histograms, {
        'weights/block.0': [[4, -1, 3, 6, [0, 1, 2, 3], histogram.counts]],
      });
      assert.deepEqual([read.hparams['rank'], read.hparams['adapter'], read.group], [4, 'lora', 'lora_42']);
      assert.equal(read.status, 1);
      assert.ok(read.metrics.includes('validation/soft_dice'));
    }));
});
