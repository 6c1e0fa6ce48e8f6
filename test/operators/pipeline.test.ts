import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import {
  concatMap,
  filter,
  lastValueFrom,
  map,
  type Observable,
  of,
  take,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { asRun } from '../../operators/as-run.js';
import { checkpoint } from '../../operators/checkpoint.js';
import { concatLease } from '../../operators/concat-lease.js';
import { earlyStop } from '../../operators/early-stop.js';
import { guard } from '../../operators/guard.js';
import { prefetch } from '../../operators/prefetch.js';
import { testBest } from '../../operators/test-best.js';
import { trainStep } from '../../operators/train-step.js';
import { validate } from '../../operators/validate.js';
import type { Batch } from '../../src/data/batch.js';
import type { BatchPlan } from '../../src/data/types.js';
import type { Event } from '../../src/events/event.js';
import { withoutClocks } from '../../src/loggers/logger.js';
import type { SegmentationScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import type { Run } from '../../src/train/run.js';
import { constant } from '../../src/train/schedules/constant.js';
import { plateau } from '../../src/train/schedules/plateau.js';
import type { Schedule } from '../../src/train/schedules/schedule.js';
import { free, type TinyRun, tinyBatch, tinyPairs, tinyPlans, tinyRun } from '../train/tiny.js';

interface Options {
  ahead?: number;
  load?: (plan: BatchPlan) => Observable<Batch>;
  average?: number;
  /** What the validation score must gain at each epoch. */
  minDelta?: number;
  resume?: boolean;
  schedule?: Schedule;
  /** Steps between two checkpoints. */
  every?: number;
  frozenSteps?: number;
}

describe('the training pipeline', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  /** Three epochs of three steps of the tiny model; `work` gets its events, and the model is freed after it. */
  async function pipeline<R>(
    name: string,
    {
      ahead = 2,
      load = (plan) => of(tinyBatch(plan)),
      average = 0.5,
      minDelta = -1,
      resume = false,
      schedule = constant(),
      every = 2,
      frozenSteps = 0,
    }: Options,
    work: (events$: Observable<Event<SegmentationScores>>, run: TinyRun) => Promise<R>,
  ): Promise<R> {
    const run = tinyRun({
      name,
      schedule,
      average,
      frozenSteps,
      store: checkpointStore(join(dir, name), { keep: 2 }),
      logs: dir,
    });
    const batches = (seed: number) => () =>
      prefetch(tinyPlans({ count: 3, epochs: 1, seed }), (plan) => of(tinyBatch(plan)), { ahead: 1 });
    try {
      await run.open({ resume });
      const events$ = prefetch(run.plans(tinyPairs(5)), load, { ahead }).pipe(
        concatLease((batch$) =>
          batch$.pipe(trainStep(run), validate(run, batches(1)), checkpoint(run, { every })),
        ),
        guard(run),
        earlyStop(run, { metric: 'softDice', patience: 1, minDelta }),
        testBest(run, batches(2)),
        asRun(run),
      );
      return await work(events$, run);
    } finally {
      free(run);
    }
  }

  const slow = (plan: BatchPlan) => timer(2).pipe(concatMap(() => of(tinyBatch(plan))));
  const plain = (event: Event) => {
    const { path, ...rest } = withoutClocks({ ...event, ...('run' in event && { run: '' }) });
    return { ...rest, ...(typeof path === 'string' && { path: path.slice(path.lastIndexOf('/')) }) };
  };
  const weights = ({ model }: Pick<Run, 'model'>) =>
    [...model.parameters].map(({ name, value }) => [name, [...value.dataSync()]]);

  it('says the same whatever the look-ahead, and holds no more tensors at the end of each step', async () => {
    const runs: unknown[] = [];
    for (const ahead of [0, 2, 100]) {
      const counts: number[] = [];
      const events = await pipeline(`ahead-${ahead}`, { ahead, load: slow }, (events$) =>
        lastValueFrom(
          events$.pipe(
            tap(({ type }) => type === 'step' && ahead === 0 && counts.push(memory().numTensors)),
            toArray(),
          ),
        ),
      );
      assert.equal(new Set(counts).size, ahead === 0 ? 1 : 0, counts.join());
      runs.push(events.map(plain));
    }
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  });

  it('saves every second step and whatever was scored, and tests the best before the end', async () => {
    const events = await pipeline('order', {}, (events$) => lastValueFrom(events$.pipe(toArray())));
    const word = (event: Event) =>
      event.type === 'checkpoint' || event.type === 'step' ? `${event.type} ${event.step}` : event.type;
    const epochs = [
      'step 1, step 2, checkpoint 2, step 3, epoch, validation, checkpoint 3',
      'step 4, checkpoint 4, step 5, step 6, epoch, validation, checkpoint 6',
      'step 7, step 8, checkpoint 8, step 9, epoch, validation, checkpoint 9',
    ];
    assert.equal(events.map(word).join(', '), ['run', ...epochs, 'validation, done'].join(', '));
    const validations = events.filter((event) => event.type === 'validation');
    const best = validations.slice(0, 3).toSorted((a, b) => b.scores.softDice - a.scores.softDice)[0]!;
    const tested = validations.at(-1)!;
    assert.deepEqual([tested.split, tested.step, tested.epoch], ['test', best.step, best.epoch]);
  });

  it('scores the averaged weights, and tests those very weights', async () => {
    const path = 'average';
    await pipeline(path, { average: 0.9 }, async (events$, run) => {
      const before = weights(run);
      await lastValueFrom(events$);
      const { state } = await checkpointStore(join(dir, path)).load('best');
      const average = [...state.keys()].filter((name) => name.startsWith('average/'));
      assert.deepEqual(average.toSorted(), ['average/adapter', 'average/head']);
      const head = state.get('average/head')!.data;
      const now = Object.fromEntries(weights(run) as [string, number[]][]);
      assert.deepEqual([...now.head!, ...now.bias!], [...head]);
      assert.notDeepEqual(weights(run), before);
    });
  });

  it('frees all when a load fails, or an observer', async () => {
    const load = (plan: BatchPlan) =>
      plan.position === 4 ? throwError(() => new Error('broken file')) : slow(plan);
    await pipeline('load-fails', { load }, (events$) =>
      assert.rejects(lastValueFrom(events$), /broken file/),
    );
    await pipeline('observer-fails', {}, (events$) => {
      const events = events$.pipe(
        tap((event) => {
          if (event.type === 'step' && event.step === 5) throw new Error('no');
        }),
      );
      return assert.rejects(lastValueFrom(events), /no/);
    });
  });

  it('frees all when it is unsubscribed, and goes on to the same weights', async () => {
    const expected = await pipeline('unbroken', {}, async (events$, run) => {
      await lastValueFrom(events$);
      return weights(run);
    });
    for (const events of [1, 4, 9, 15]) {
      const name = `cut-${events}`;
      await pipeline(name, { ahead: 5, load: slow }, (events$) =>
        lastValueFrom(events$.pipe(take(events))).then(
          () => new Promise((resolve) => setTimeout(resolve, 20)),
        ),
      );
      const resumed = await pipeline(name, { resume: true }, async (events$, run) => {
        await lastValueFrom(events$);
        return weights(run);
      });
      assert.deepEqual(resumed, expected, name);
    }
  });

  it('goes on to the same weights when it is cut before or after it unfreezes', async () => {
    const options = { frozenSteps: 4 };
    const end = (name: string, more: Options = {}) =>
      pipeline(name, { ...options, ...more }, async (events$, run) => {
        await lastValueFrom(events$);
        return weights(run);
      });
    const expected = await end('thawed');
    assert.notDeepEqual(expected, await end('never-frozen', { frozenSteps: 0 }));
    for (const events of [4, 9, 15]) {
      const name = `thawed-${events}`;
      await pipeline(name, { ...options, ahead: 0 }, (events$) =>
        lastValueFrom(events$.pipe(take(events))).then(
          () => new Promise((resolve) => setTimeout(resolve, 20)),
        ),
      );
      assert.deepEqual(await end(name, { resume: true }), expected, name);
    }
  });

  it('stops early where the score does not rise enough, before the checkpoint of that epoch', async () => {
    const events = await pipeline('early', { minDelta: 1 }, (events$) =>
      lastValueFrom(events$.pipe(toArray())),
    );
    const [tested, done] = events.slice(-2);
    assert(tested?.type === 'validation' && done?.type === 'done');
    assert.deepEqual([tested.split, tested.epoch, done.reason, done.epoch], ['test', 1, 'early-stop', 2]);
    assert.deepEqual(await checkpointStore(join(dir, 'early')).list(), [
      join(dir, 'early', 'step-00000003'),
      join(dir, 'early', 'step-00000004'),
    ]);
  });

  describe('a run that diverges', () => {
    /** Makes the rate huge from step `from` on. */
    const blowUp =
      (from: number, factor = 1e30): Schedule =>
      (step) =>
        step + 1 < from ? 1 : factor;
    const ends = (name: string, options: Options) =>
      pipeline(name, options, async (events$, run) => {
        const events = await lastValueFrom(events$.pipe(toArray()));
        const warnings = events.filter((event) => event.type === 'warning');
        const done = events.at(-1)!;
        assert(done.type === 'done');
        return {
          reason: done.reason,
          warnings: warnings.map(({ code, message }) => [code, message.replace(/^.*stopped/, 'stopped')]),
          tested: events.filter((event) => event.type === 'validation' && event.split === 'test'),
          saved: events.filter((event) => event.type === 'checkpoint').map(({ step }) => step),
          finite: await run.training.finite(),
        };
      });

    it('before its first checkpoint says that there is none, and scores nothing', async () => {
      const { reason, warnings, tested } = await ends('diverges-at-once', { schedule: blowUp(1) });
      assert.deepEqual(
        [reason, warnings, tested],
        [
          'guard',
          [
            ['not-finite', 'stopped; there is no checkpoint to restore'],
            ['not-tested', 'no scores of test: the run diverged before its first checkpoint'],
          ],
          [],
        ],
      );
    });

    it('later goes back to its last checkpoint, and tests the best', async () => {
      const { reason, warnings, tested, finite } = await ends('diverges', { schedule: blowUp(5) });
      assert.equal(reason, 'guard');
      assert.deepEqual(warnings, [['not-finite', 'stopped, and the checkpoint of step 4 restored']]);
      assert.equal(finite, true);
      const [test] = tested;
      assert(test?.type === 'validation' && test.step === 3 && Number.isFinite(test.scores.softDice));
    });

    it('saves no weights that are not finite', async () => {
      const { warnings, saved } = await ends('diverges-saved', { schedule: blowUp(5, 1e300), every: 1 });
      assert.deepEqual(saved, [1, 2, 3, 4]);
      assert.deepEqual(warnings, [
        ['not-saved', 'step 5 was not saved: some of its weights are not finite'],
        ['not-finite', 'stopped, and the checkpoint of step 4 restored'],
      ]);
    });
  });

  describe('a schedule that follows scores', () => {
    it('receives them from validate', async () => {
      // No loss is a million better than the last: the rate falls at each validation but the first.
      const schedule = plateau({ metric: 'loss', patience: 1, factor: 0.5, minDelta: 1e6 });
      const rates = await pipeline('plateau', { schedule }, (events$) =>
        lastValueFrom(
          events$.pipe(
            filter((event) => event.type === 'step'),
            map(({ learningRate }) => learningRate.all! / 0.05),
            toArray(),
          ),
        ),
      );
      assert.deepEqual(rates, [1, 1, 1, 1, 1, 1, 1, 1, 1]);
      assert.equal(schedule(9), 0.5);
    });

    it('receives each score once, and none of another split', () => {
      const schedule = plateau({ metric: 'loss', patience: 1, factor: 0.5 });
      const run = tinyRun({ schedule });
      const scores = (split: string, loss: number) =>
        ({ type: 'validation', split, scores: { loss } }) as Event;
      for (const event of [scores('validation', 1), scores('train', 2), scores('train', 3)])
        run.observe(event);
      assert.equal(schedule(0), 1);
      const worse = scores('validation', 2);
      for (const event of [worse, worse, worse]) run.observe(event);
      assert.equal(schedule(0), 1);
      run.observe(scores('validation', 2));
      assert.equal(schedule(0), 0.5);
      free(run);
    });

    it('warns when an epoch brings no score', async () => {
      const run = tinyRun({ schedule: plateau({ metric: 'loss' }) });
      const words = await lastValueFrom(
        prefetch(run.plans(tinyPairs(5)), (plan) => of(tinyBatch(plan)), { ahead: 0 }).pipe(
          concatLease((batch$) => batch$.pipe(trainStep(run))),
          map((event) => (event.type === 'warning' ? event.code : event.type)),
          toArray(),
        ),
      );
      assert.equal(
        words.join(' '),
        'step step step epoch schedule-unheard step step step epoch step step step epoch',
      );
      free(run);
    });
  });
});
