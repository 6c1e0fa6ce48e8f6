import assert from 'node:assert/strict';
import { lastValueFrom, of, toArray } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { prefetch } from '../../operators/prefetch.js';
import { trainStep } from '../../operators/train-step.js';
import { weightHistograms } from '../../operators/weight-histograms.js';
import type { WeightsEvent } from '../../src/events/event.js';
import { parseEvent } from '../../src/events/parse-event.js';
import { free, tinyBatch, tinyPairs, tinyRun } from '../train/tiny.js';

describe('weightHistograms', () => {
  it('counts the values of each tensor that trains, after each epoch', async () => {
    const run = tinyRun({ epochs: 2 });
    const load = (plan: Parameters<typeof tinyBatch>[0]) => of(tinyBatch(plan));
    const events = await lastValueFrom(
      prefetch(run.plans(tinyPairs(2)), load, { ahead: 1 }).pipe(
        concatLease((batch$) => batch$.pipe(trainStep(run), weightHistograms(run))),
        toArray(),
      ),
    );
    const types = ['step', 'epoch', 'weights'];
    assert.deepEqual(
      events.map(({ type }) => type),
      [...types, ...types],
    );
    const last = events.at(-1) as WeightsEvent;
    assert.deepEqual([last.epoch, last.step], [2, run.position]);
    const trained = run.model.parameters.trainable();
    assert.deepEqual(
      Object.keys(last.histograms),
      trained.map(({ name }) => name),
    );
    for (const { name, value } of trained) {
      const { min, max, counts } = last.histograms[name]!;
      const values = await value.data();
      assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)], name);
      assert.equal(
        counts.reduce((a, b) => a + b),
        value.size,
        name,
      );
    }
    assert.deepEqual(parseEvent(JSON.stringify(last)), last);
    free(run);
  });
});
