import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defer, lastValueFrom, type Observable, of, toArray } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { drawPredictions } from '../../operators/draw-predictions.js';
import { overlays } from '../../operators/overlays.js';
import { prefetch } from '../../operators/prefetch.js';
import { trainStep } from '../../operators/train-step.js';
import { UserError } from '../../src/base/errors.js';
import type { Event } from '../../src/events/event.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import type { Model } from '../../src/model/model.js';
import { free, tinyBatch, tinyPairs, tinyPlans, tinyRun } from '../train/tiny.js';

describe('drawPredictions', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const load = (plan: Parameters<typeof tinyBatch>[0]) => of(tinyBatch(plan));
  type Draw = (model: Model, path: string) => Observable<unknown>;

  async function train(epochs: number, draw: Draw): Promise<Event[]> {
    const run = tinyRun({ epochs, logs: dir });
    try {
      return await lastValueFrom(
        prefetch(run.plans(tinyPairs(2)), load, { ahead: 1 }).pipe(
          concatLease((batch$) => batch$.pipe(trainStep(run), drawPredictions(run, draw))),
          toArray(),
        ),
      );
    } finally {
      free(run);
    }
  }
  const touch: Draw = (_, path) =>
    defer(async () => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, path);
    });
  const drawn = (events: readonly Event[]) => events.filter((event) => event.type === 'picture');

  it('draws the same samples at each epoch, into a JPEG that is whole when the event comes', async () => {
    const samples = () => prefetch(tinyPlans({ count: 2, epochs: 1 }), load, { ahead: 1 });
    const events = await train(2, (model, path) => overlays(model, samples(), path, ['a', 'b', 'c']));
    assert.deepEqual(
      drawn(events).map(withoutClocks),
      [1, 2].map((epoch) => ({
        type: 'picture',
        name: 'validation',
        path: `pictures/epoch-${epoch}.jpg`,
        step: epoch,
        epoch,
      })),
    );
    const files = drawn(events).map(({ path }) => readFileSync(join(dir, path)));
    for (const file of files) assert.equal(file.readUInt16BE(0), 0xffd8);
    assert.notDeepEqual(files[0], files[1]);
  });

  it('draws at most a hundred epochs, the last one among them', async () => {
    const epochs = drawn(await train(201, touch)).map(({ epoch }) => epoch);
    assert.deepEqual(epochs.slice(0, 2), [3, 6]);
    assert.deepEqual(epochs.slice(-2), [198, 201]);
    assert.equal(epochs.length, 67);
  });

  it('removes the pictures of an earlier run of that name', async () => {
    const old = join(dir, 'pictures', 'epoch-9.jpg');
    mkdirSync(dirname(old));
    writeFileSync(old, '');
    await train(1, touch);
    assert.deepEqual([existsSync(old), existsSync(join(dir, 'pictures', 'epoch-1.jpg'))], [false, true]);
  });

  it('says once that a picture cannot be written, and the run goes on', async () => {
    const full: Draw = () =>
      defer(async () => {
        throw new UserError('the disk is full');
      });
    const events = await train(3, full);
    assert.deepEqual(
      events.flatMap((event) => (event.type === 'warning' ? [[event.code, event.message]] : [])),
      [['not-drawn', 'no pictures of predictions any more: the disk is full']],
    );
    assert.equal(events.filter(({ type }) => type === 'epoch').length, 3);
  });

  it('passes errors that are not the user’s on, and refuses a run without a folder of logs', async () => {
    const broken: Draw = () =>
      defer(async () => {
        throw new Error('a mistake');
      });
    await assert.rejects(train(1, broken), /^Error: a mistake/);
    const run = tinyRun({ epochs: 1 });
    assert.throws(() => drawPredictions(run, touch), /expected a run with a folder of logs/);
    free(run);
  });
});
