import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSharp } from '../../src/base/sharp.js';
import { readEvents } from '../../src/events/read-events.js';
import { jsonLines } from '../../src/loggers/json-lines.js';
import type { RunEnd } from '../../src/loggers/logger.js';
import { tensorBoard } from '../../src/loggers/tensor-board.js';
import { crc32c } from '../../src/loggers/tf-record.js';
import { log, withFolder } from './log.js';
import { eventFile, eventsOf, hparamsIn, scalarsIn, valuesIn } from './read-tensor-board.js';
import { later, runEvent, sampleRun, scores, stepEvent } from './sample-run.js';

describe('crc32c', () => {
  it('gives the check values of RFC 3720, B.4', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  });
});

describe('tensorBoard', () => {
  it('begins with the version, and has the numbers of each step, epoch and validation', () =>
    withFolder(async (dir) => {
      await log(tensorBoard(dir)({}), sampleRun());
      assert.equal(eventsOf(await eventFile(dir))[0]!.text(3), 'brain.Event:2');
      const scalars = await scalarsIn(dir);
      const of = (name: string) =>
        scalars.filter(([tag]) => tag === name).map(([, step, value]) => [step, value]);
      const steps = Array.from({ length: 12 }, (_, i) => i + 1);
      assert.deepEqual(
        of('train/loss'),
        steps.map((step) => [step, Math.fround(1 / step)]),
      );
      assert.deepEqual(
        of('learning_rate/all'),
        steps.map((step) => [step, Math.fround(0.01 / step)]),
      );
      const epochs = [1, 2, 3].map((epoch) => [4 * epoch, Math.fround(0.5 + epoch / 10)]);
      assert.deepEqual(of('validation/soft_dice'), epochs);
      assert.deepEqual(of('validation_dice/pet'), epochs);
      assert.deepEqual(of('test_iou/background'), [[12, Math.fround(9 / 11)]]);
      assert.deepEqual(of('validation_dice/boundary'), [], 'a class that does not occur has no score');
    }));

  it('has the settings, their kinds and the scores for the HParams tab', () =>
    withFolder(async (dir) => {
      const config = {
        rank: 4,
        lr: 1e-3,
        guard: true,
        augment: ['flip'],
        model: { head: 'study' },
        clip: null,
      };
      await log(tensorBoard(dir)({ metrics: () => ({ scores: () => scores(0) }) }), [runEvent({ config })]);
      const start = (await hparamsIn(dir, '_hparams_/session_start_info')).message(3);
      assert.equal(start.text(4), 'lora_42');
      assert.equal(start.number(5), 1_700_000_000);
      const values = start.messages(1).map((entry) => {
        const value = entry.message(2);
        const read = value.has(2) ? value.number(2) : value.has(3) ? value.text(3) : value.number(4) === 1;
        return [entry.text(1), read];
      });
      assert.deepEqual(Object.fromEntries(values), {
        rank: 4,
        lr: 1e-3,
        guard: true,
        augment: '["flip"]',
        'model.head': 'study',
        adapter: 'lora',
        adapterParameters: 1536,
        headParameters: 2307,
        engine: 'cpu',
        precision: 'f32',
        seed: 42,
        epochs: 3,
        batches: 4,
      });
      const experiment = (await hparamsIn(dir, '_hparams_/experiment')).message(2);
      const kinds = experiment.messages(4).map((info) => [info.text(1), info.number(4)]);
      assert.deepEqual(kinds.slice(0, 4), [
        ['rank', 3],
        ['lr', 3],
        ['guard', 2],
        ['augment', 1],
      ]);
      const metrics = experiment.messages(5).map((info) => info.message(1).text(2));
      assert.deepEqual(
        metrics,
        ['loss', 'soft_dice', 'soft_iou', 'miou', 'accuracy'].map((n) => `validation/${n}`),
      );
    }));

  for (const [end, status] of [
    ['finished', 1],
    ['failed', 2],
    ['stopped', 0],
  ] as const satisfies readonly [RunEnd, number][])
    it(`says of a run that ${end === 'stopped' ? 'was' : 'has'} ${end} its status ${status}`, () =>
      withFolder(async (dir) => {
        const logger = tensorBoard(dir)({});
        await log(logger, [runEvent()], { close: false });
        await logger.close!(end);
        assert.equal((await hparamsIn(dir, '_hparams_/session_end_info')).message(4).number(1), status);
      }));

  it('has the pictures of predictions in their size, and leaves out one that is not there', () =>
    withFolder(async (dir) => {
      await mkdir(join(dir, 'pictures'));
      const create = { width: 12, height: 5, channels: 3, background: '#336699' } as const;
      const jpeg = await loadSharp()({ create }).jpeg().toBuffer();
      await writeFile(join(dir, 'pictures/epoch-1.jpg'), jpeg);
      const picture = (epoch: number) =>
        ({
          type: 'picture',
          time: 1,
          name: 'validation',
          path: `pictures/epoch-${epoch}.jpg`,
          step: 4 * epoch,
          epoch,
        }) as const;
      await log(tensorBoard()({ logs: dir }), [runEvent(), picture(1), picture(2)]);
      const images = (await valuesIn(dir)).filter(({ value }) => value.has(4));
      assert.deepEqual(
        images.map(({ tag, step, value }) => {
          const image = value.message(4);
          return [tag, step, image.number(1), image.number(2), Buffer.from(image.bytes(4)).equals(jpeg)];
        }),
        [['predictions/validation', 4, 5, 12, true]],
      );
    }));

  it('has histograms of weights', () =>
    withFolder(async (dir) => {
      const histogram = { min: -1, max: 3, sum: 4, sumSquares: 20, counts: [2, 0, 1, 3] };
      const weights = {
        type: 'weights',
        time: 1,
        histograms: { 'block.0.lora': histogram },
        step: 4,
        epoch: 1,
      } as const;
      await log(tensorBoard(dir)({}), [runEvent(), weights]);
      const [found] = (await valuesIn(dir)).filter(({ value }) => value.has(5));
      const histo = found!.value.message(5);
      assert.deepEqual([found!.tag, found!.step], ['weights/block.0.lora', 4]);
      assert.deepEqual(
        [1, 2, 3, 4, 5].map((field) => histo.number(field)),
        [-1, 3, 6, 4, 20],
      );
      assert.deepEqual([histo.doubles(6), histo.doubles(7)], [[0, 1, 2, 3], histogram.counts]);
    }));

  it('holds NaN after a resume where it held it before', () =>
    withFolder(async (dir) => {
      const nan = [runEvent(), stepEvent(1, { loss: Number.NaN })];
      await log(jsonLines(join(dir, 'logs'))({}), nan);
      const earlier = await readEvents(join(dir, 'logs/events.jsonl'));
      await log(tensorBoard(dir)({ earlier }), [runEvent()]);
      const losses = (await scalarsIn(dir)).filter(([tag]) => tag === 'train/loss');
      assert.deepEqual(losses, [['train/loss', 1, Number.NaN]]);
    }));

  it('holds as infinite what is beyond 32 bits', () =>
    withFolder(async (dir) => {
      await log(tensorBoard(dir)({}), [
        runEvent(),
        stepEvent(1, { loss: 1e308 }),
        stepEvent(2, { loss: -1e39 }),
      ]);
      const losses = (await scalarsIn(dir)).filter(([tag]) => tag === 'train/loss');
      assert.deepEqual(losses, [
        ['train/loss', 1, Number.POSITIVE_INFINITY],
        ['train/loss', 2, Number.NEGATIVE_INFINITY],
      ]);
    }));

  it('holds after a resume one file with the kept and the new points, each once', () =>
    withFolder(async (dir) => {
      const whole = sampleRun();
      await log(tensorBoard(dir)({}), whole);
      const unbroken = await scalarsIn(dir);
      await writeFile(join(dir, 'notes.txt'), 'mine');
      const resumed = [...later([runEvent()], 60), ...whole.slice(8)];
      await log(tensorBoard(dir)({ earlier: whole.slice(0, 8) }), resumed);
      assert.deepEqual(await scalarsIn(dir), unbroken);
      assert.equal(await readFile(join(dir, 'notes.txt'), 'utf8'), 'mine');
    }));
});
