import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csv } from '../../src/loggers/metrics-csv.js';
import { log, withFolder } from './log.js';
import { runEvent, sampleRun, scores, stepEvent } from './sample-run.js';

const read = async (dir: string) => {
  const [head, ...rows] = (await readFile(join(dir, 'metrics.csv'), 'utf8')).trimEnd().split('\n');
  const columns = head!.split(',');
  return rows.map((row) => Object.fromEntries(row.split(',').map((cell, i) => [columns[i], cell])));
};

describe('csv', () => {
  it('has a row an epoch, in full precision', () =>
    withFolder(async (dir) => {
      await log(csv(dir)({}), sampleRun());
      const rows = await read(dir);
      assert.deepEqual(
        rows.map(({ epoch, step, train_loss }) => [epoch, step, train_loss]),
        [
          ['1', '4', '0.5'],
          ['2', '8', '0.25'],
          ['3', '12', String(2 / 12)],
        ],
      );
      const { val_loss, val_dice, val_iou, val_miou, val_accuracy, lr, images_per_second } = rows[0]!;
      assert.deepEqual(
        [val_loss, val_dice, val_iou, val_miou, val_accuracy, lr, images_per_second],
        ['0.4', '0.6', String(0.6 / 1.4), '0.75', '0.875', '0.0025', '8'],
      );
    }));

  it('is the same after a resume', () =>
    withFolder(async (dir) => {
      const whole = sampleRun();
      await log(csv(dir)({}), whole);
      const unbroken = await read(dir);
      await log(csv(dir)({ earlier: whole.slice(0, 8) }), [runEvent(), ...whole.slice(8)]);
      assert.deepEqual(await read(dir), unbroken);
    }));

  it('gives each parameter group a learning rate of its own, and leaves what is missing empty', () =>
    withFolder(async (dir) => {
      const step = stepEvent(4, { learningRate: { backbone: 1e-3, head: 1e-2 } });
      const end = sampleRun(1).filter(({ type }) => type === 'epoch');
      const metrics = () => ({ scores: () => scores(0) });
      await log(csv(dir)({ metrics }), [runEvent(), step, ...end]);
      const [row] = await read(dir);
      assert.equal(row!.lr_backbone, '0.001');
      assert.equal(row!.lr_head, '0.01');
      assert.equal(row!.val_dice, '');
      assert.ok(!('lr' in row!));
    }));
});
