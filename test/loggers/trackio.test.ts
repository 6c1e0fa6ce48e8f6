import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { from, lastValueFrom, toArray } from 'rxjs';
import { logTo } from '../../operators/log-to.js';
import { trackio } from '../../src/loggers/trackio.js';
import { log, withFolder } from './log.js';
import { readTrackio } from './read-trackio.js';
import { runEvent, sampleRun } from './sample-run.js';

describe('trackio', () => {
  const losses = Array.from({ length: 12 }, (_, i) => [i + 1, 1 / (i + 1)]);

  it('has pictures where trackio looks for them, and histograms', () =>
    withFolder(async (dir) => {
      const logs = join(dir, 'logs');
      await mkdir(join(logs, 'pictures'), { recursive: true });
      await writeFile(join(logs, 'pictures/epoch-1.jpg'), 'jpeg');
      const place = { time: 1, step: 4, epoch: 1 };
      const histogram = { min: -1, max: 3, sum: 4, sumSquares: 20, counts: [2, 4] };
      const logger = trackio({ dir, project: 'My pets!' })({ logs });
      const events = [
        runEvent(),
        { ...place, type: 'picture', name: 'validation', path: 'pictures/epoch-1.jpg' },
        { ...place, type: 'picture', name: 'validation', path: 'pictures/gone.jpg' },
        { ...place, type: 'weights', histograms: { head: histogram } },
      ] as const;
      await log(logger, events, { close: false });
      await logger.close!('finished');
      const db = new DatabaseSync(join(dir, 'Mypets.db'), { readOnly: true });
      const rows = db.prepare('SELECT step, metrics FROM metrics ORDER BY id').all() as { metrics: string }[];
      db.close();
      const values = Object.assign({}, ...rows.map(({ metrics }) => JSON.parse(metrics)));
      const { file_path: file, ...image } = values['predictions/validation'];
      assert.deepEqual(image, { _type: 'trackio.image', caption: null });
      assert.match(file, /^Mypets\/lora_42\/4\/[0-9a-f]{32}-epoch-1\.jpg$/);
      assert.ok(existsSync(join(dir, 'media', file)));
      assert.deepEqual(values['weights/head'], {
        _type: 'trackio.histogram',
        bins: [-1, 1, 3],
        values: [2, 4],
      });
    }));

  it('waits for another writer without holding up the process', () =>
    withFolder(async (dir) => {
      const logger = trackio({ dir })({ logs: dir });
      const [run, ...events] = sampleRun();
      await logger.next(run!);
      const other = new DatabaseSync(join(dir, 'millrace.db'));
      other.exec('BEGIN IMMEDIATE');
      let isWritten = false;
      const writing = log(logger, events, { close: false })
        .then(() => logger.close!('finished'))
        .then(() => {
          isWritten = true;
        });
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(isWritten, false);
      other.exec('COMMIT');
      other.close();
      await writing;
      assert.deepEqual((await readTrackio(join(dir, 'millrace.db')))[0]!.scalars('train/loss'), losses);
    }));

  it('shares a file with other runs, of the same name too', () =>
    withFolder(async (dir) => {
      const runs = ['a', 'b', 'c'].map((folder) => trackio({ dir })({ logs: join(dir, folder) }));
      await Promise.all(
        runs.map(async (logger) => {
          await log(logger, sampleRun(), { close: false });
          await logger.close!('finished');
        }),
      );
      const read = await readTrackio(join(dir, 'millrace.db'));
      assert.deepEqual(
        read.map((run) => run.scalars('train/loss')),
        [losses, losses, losses],
      );
    }));

  it('costs a run one warning where its file is another one', () =>
    withFolder(async (dir) => {
      await writeFile(
        join(dir, 'millrace.db'),
        'no database at all, but long enough to be looked into'.repeat(20),
      );
      const events = await lastValueFrom(from(sampleRun()).pipe(logTo({}, trackio({ dir })), toArray()));
      const warnings = events.filter((event) => event.type === 'warning');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!.message, /millrace\.db: expected a file of trackio, got .*; set TRACKIO_DIR/);
      assert.ok(!existsSync(join(dir, 'millrace.db-wal')));
    }));
});
