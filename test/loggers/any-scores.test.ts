import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { progress } from '../../operators/progress.js';
import type { Event } from '../../src/events/event.js';
import { metrics } from '../../src/events/metric.js';
import { readEvents } from '../../src/events/read-events.js';
import { closingText } from '../../src/experiment/closing.js';
import { jsonLines } from '../../src/loggers/json-lines.js';
import { csv } from '../../src/loggers/metrics-csv.js';
import { hasDiverged, readSummary, summary } from '../../src/loggers/summary.js';
import { tensorBoard } from '../../src/loggers/tensor-board.js';
import { toSvg } from '../../src/report/render.js';
import { runPlots } from '../../src/report/run-plots.js';
import { log, withFolder } from './log.js';
import { sampleRun } from './sample-run.js';

metrics.register('hitRate', { label: 'hit rate', mode: 'max' });
metrics.register('worstError', { label: 'worst error', mode: 'min' });
metrics.register('recall', { label: 'mean recall', mode: 'max', ofClass: 'recall' });

/** A run whose scores are those of a task that no subscriber knows; one of them is not even registered. */
const events = (hitRate = 0.75): Event[] =>
  sampleRun().map((event) =>
    event.type === 'validation'
      ? {
          ...event,
          scores: {
            loss: 0.5,
            hitRate,
            worstError: 7,
            recall: [1, 0.5, null],
            spread: [0, 3, 9],
            unknownYet: 0.25,
            pairs: [
              [3, 1, 0],
              [0, 4, 0],
              [0, 0, 0],
            ],
          },
        }
      : event,
  );

describe('scores of any task', () => {
  it('are read back from events as they were, NaN included', () =>
    withFolder(async (dir) => {
      await log(jsonLines(dir)({}), events(Number.NaN));
      assert.deepEqual(await readEvents(join(dir, 'events.jsonl')), events(Number.NaN));
    }));

  it('are refused where one is no score', () =>
    withFolder(async (dir) => {
      const path = join(dir, 'events.jsonl');
      const odd = {
        ...events().find(({ type }) => type === 'validation'),
        scores: { loss: 1, hitRate: 'x' },
      };
      await writeFile(path, `${JSON.stringify(odd)}\n`);
      await assert.rejects(readEvents(path), /:1: .*got a validation event with scores\.hitRate/);
    }));

  it('are columns of metrics.csv where they are numbers', () =>
    withFolder(async (dir) => {
      await log(csv(dir)({}), events());
      const [head, row] = (await readFile(join(dir, 'metrics.csv'), 'utf8')).split('\n');
      const columns = 'val_loss,val_hit_rate,val_worst_error,val_unknown_yet';
      assert.equal(head, `epoch,step,train_loss,${columns},images_per_second,lr`);
      assert.equal(row, '1,4,0.5,0.5,0.75,7,0.25,8,0.0025');
    }));

  it('are scalars of TensorBoard, also by class', () =>
    withFolder(async (dir) => {
      await log(tensorBoard(dir)({}), events());
      const text = (await readFile(join(dir, (await readdir(dir))[0]!))).toString('latin1');
      for (const name of [
        'validation/hit_rate',
        'test_recall/pet',
        'validation/unknown_yet',
        'test_spread/boundary',
      ])
        assert(text.includes(name), name);
      assert(!text.includes('pairs') && !text.includes('recall/boundary'));
    }));

  it('are in the summary, and end the recipe with their labels', () =>
    withFolder(async (dir) => {
      await log(summary(dir)({}), events());
      const { validation, test } = await readSummary(dir);
      const figures = {
        hitRate: 0.75,
        worstError: 7,
        recall: [1, 0.5, null],
        spread: [0, 3, 9],
        unknownYet: 0.25,
      };
      assert.deepEqual([validation, test], [{ loss: 0.5, ...figures }, figures]);
      assert.equal(
        (await closingText(dir)).split('\n')[1],
        'test        hit rate 0.7500  worst error 7.0000  unknownYet 0.2500  recall by class 1.0000 0.5000 -',
      );
      assert.match(
        (await closingText(dir, [], ['cat', 'dog', 'fox'])).split('\n')[1]!,
        /recall by class cat 1\.0000, dog 0\.5000, fox -$/,
      );
    }));

  it('tell a run that diverged', () =>
    withFolder(async (dir) => {
      for (const [value, diverged] of [
        [Number.NaN, true],
        [0.75, false],
      ] as const) {
        await log(summary(dir)({}), events(value));
        assert.equal(hasDiverged(await readSummary(dir)), diverged);
      }
    }));

  it('are drawn: those that rise as curves, by class as bars, a matrix as shares', async () => {
    const plots = runPlots(events());
    assert.deepEqual(Object.keys(plots), ['loss', 'hit_rate', 'learning-rate', 'per-class', 'pairs']);
    const words = async (name: string) => {
      const svg = await toSvg(plots[name]!);
      return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
    };
    const curves = await words('hit_rate');
    assert(curves.includes('hit rate') && curves.includes('unknownYet') && !curves.includes('worst error'));
    // Bars that are no shares have an axis of their own.
    assert((await words('per-class')).includes('9.000'));
    assert((await words('pairs')).includes('Pairs matrix, test split'));
  });

  it('are lines of progress, whose best is by the first that rises', async () => {
    const written: string[] = [];
    const to = { write: (text: string) => written.push(text) };
    await lastValueFrom(from(events()).pipe(progress({ to })));
    assert.match(
      written.at(-1)!,
      /best validation at epoch 1: loss 0\.5000 {2}hit rate 0\.7500 {2}unknownYet 0\.2500, by hit rate\n$/,
    );
  });
});
