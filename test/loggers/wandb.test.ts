import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../../src/base/sharp.js';
import { wandb } from '../../src/loggers/wandb.js';
import { WandbRecords } from '../../src/loggers/wandb-records.js';
import { log, withFolder } from './log.js';
import { wandbFiles, wandbRecords, wandbRows } from './read-wandb.js';
import { runEvent, sampleRun } from './sample-run.js';

const run = { id: 'abcd1234', project: 'millrace', name: 'lora_42', config: {}, host: 'here', time: 1 };

describe('WandbRecords', () => {
  it('splits records at the ends of blocks, wherever they fall', () => {
    // Texts of sizes that leave each possible rest of a block once: none, less than a header, a header alone, more.
    for (let size = 32_600; size < 32_700; size++) {
      const records = new WandbRecords();
      const texts = ['x'.repeat(size), 'y', 'z'.repeat(70_000)];
      const bytes = [
        records.begin('test', run),
        ...texts.map((text, step) => records.row(step, [[['text'], JSON.stringify(text)]])),
        records.exit(0, 1),
      ];
      const rows = wandbRows(wandbRecords(Buffer.concat(bytes)));
      assert.deepEqual(
        rows.map(([, row]) => row['text']),
        texts,
      );
    }
  });
});

describe('wandb', () => {
  it('writes a folder as wandb does offline, with the pictures among its files', () =>
    withFolder(async (logs) => {
      await mkdir(join(logs, 'pictures'));
      const create = { width: 12, height: 5, channels: 3, background: '#336699' } as const;
      await loadSharp()({ create }).jpeg().toFile(join(logs, 'pictures/epoch-1.jpg'));
      const place = { time: 1_700_000_004_000, step: 4, epoch: 1 };
      const histogram = { min: -1, max: 3, sum: 4, sumSquares: 20, counts: [2, 4] };
      await log(wandb({ project: 'pets' })({ logs }), [
        runEvent(),
        { ...place, type: 'picture', name: 'validation', path: 'pictures/epoch-1.jpg' },
        { ...place, type: 'picture', name: 'validation', path: 'pictures/gone.jpg' },
        { ...place, type: 'weights', histograms: { head: histogram } },
        { ...place, step: 5, type: 'checkpoint', path: 'step-5', best: true },
      ]);
      const [folder] = await readdir(join(logs, 'wandb'));
      assert.match(folder!, /^offline-run-20231114_221320-[0-9a-f]{8}$/);
      const [data] = await wandbFiles(logs);
      const records = wandbRecords(data!);
      assert.equal(records[1]!.message(17).text(3), 'pets');
      const path = 'media/images/predictions/validation_4_epoch-1.jpg';
      const files = records.filter((record) => record.has(6));
      assert.deepEqual(
        files.map((record) => record.message(6).message(1).text(1)),
        [path],
      );
      assert.ok(existsSync(join(logs, 'wandb', folder!, 'files', path)));
      const [step, row] = wandbRows(records)[0]!;
      assert.equal(step, 4);
      assert.deepEqual(row, {
        'predictions/validation._type': 'image-file',
        'predictions/validation.path': path,
        'predictions/validation.format': 'jpg',
        'predictions/validation.width': 12,
        'predictions/validation.height': 5,
        'weights/head._type': 'histogram',
        'weights/head.bins': [-1, 1, 3],
        'weights/head.values': [2, 4],
        _step: 4,
        _timestamp: 1_700_000_004,
        _runtime: 4,
      });
    }));

  it('is synced again after a resume, and replaced by another run of its name', () =>
    withFolder(async (logs) => {
      const whole = sampleRun();
      await log(wandb()({ logs }), whole.slice(0, 8));
      const [folder] = await readdir(join(logs, 'wandb'));
      const synced = join(logs, 'wandb', folder!, `run-${folder!.split('-').at(-1)}.wandb.synced`);
      await writeFile(synced, '');
      await log(wandb()({ logs, earlier: whole.slice(0, 8) }), [runEvent(), ...whole.slice(8)]);
      assert.deepEqual(await readdir(join(logs, 'wandb')), [folder]);
      assert.ok(!existsSync(synced));
      await log(wandb()({ logs }), whole);
      const [other, ...more] = await readdir(join(logs, 'wandb'));
      assert.notEqual(other, folder);
      assert.deepEqual(more, []);
    }));

  it('leaves whole records where its process is killed', () =>
    withFolder(async (logs) => {
      const logger = wandb()({ logs });
      await log(logger, sampleRun().slice(0, 6), { close: false });
      const [data] = await wandbFiles(logs);
      assert.deepEqual(
        wandbRows(wandbRecords(data!)).map(([step]) => step),
        [1, 2, 3],
      );
      await logger.close!();
    }));
});
