import assert from 'node:assert/strict';
import { memory, tensor1d } from '@tensorflow/tfjs-core';
import {
  concatMap,
  defer,
  finalize,
  firstValueFrom,
  from,
  ignoreElements,
  lastValueFrom,
  map,
  merge,
  mergeMap,
  Observable,
  of,
  Subject,
  take,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { prune } from '../../operators/prune.js';
import { report } from '../../operators/report.js';
import { trialGroups } from '../../operators/trial-groups.js';
import { trials } from '../../operators/trials.js';
import type { TrialEvent } from '../../src/events/event.js';
import { type CreateStudyOptions, createStudy } from '../../src/study/create-study.js';
import { MedianPruner } from '../../src/study/pruners/percentile.js';
import { MemoryStorage } from '../../src/study/storage/memory-storage.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { needsPlace, stopHeart } from '../study/databases.js';
import { middle } from '../study/sampler.js';

const make = (options: Partial<CreateStudyOptions> = {}) =>
  createStudy({ sampler: middle, warn: () => {}, ...options });
const states = async (study: Study) => (await study.trials()).map(({ state }) => state);
const value = (trial: Trial, result = trial.number) =>
  of({ result }).pipe(report(trial, (event) => event.result));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('trials', () => {
  it('asks for the next trial when the one before has ended, and completes', async () => {
    const study = await make();
    const seen: string[] = [];
    await lastValueFrom(
      trials(study, 3).pipe(
        tap(({ number }) => seen.push(`asked ${number}`)),
        concatMap((trial) => value(trial).pipe(finalize(() => seen.push(`ended ${trial.number}`)))),
      ),
    );
    assert.deepEqual(seen, ['asked 0', 'ended 0', 'asked 1', 'ended 1', 'asked 2', 'ended 2']);
    assert.deepEqual(await states(study), ['COMPLETE', 'COMPLETE', 'COMPLETE']);
  });

  it('asks for nothing before it is subscribed', async () => {
    const study = await make();
    const trials$ = trials(study, 3);
    await turn();
    assert.deepEqual(await states(study), []);
    await lastValueFrom(trials$.pipe(concatMap((trial) => value(trial))));
    await lastValueFrom(trials$.pipe(concatMap((trial) => value(trial))));
    assert.equal((await states(study)).length, 6);
  });

  for (const concurrency of [1, 2, 5])
    it(`runs ${concurrency} at a time`, async () => {
      const study = await make();
      let [running, most] = [0, 0];
      const work = (trial: Trial) =>
        defer(() => {
          most = Math.max(most, ++running);
          return timer(1 + (trial.number % 3));
        }).pipe(
          mergeMap(() => value(trial)),
          finalize(() => running--),
        );
      await lastValueFrom(trials(study, 12, { concurrency }).pipe(mergeMap(work, concurrency)));
      assert.deepEqual([most, running], [concurrency, 0]);
      assert.deepEqual(
        await states(study),
        Array.from({ length: 12 }, () => 'COMPLETE'),
      );
    });

  it('ends what runs when it is unsubscribed, and asks no more', async () => {
    const study = await make();
    const started: number[] = [];
    const before = memory().numTensors;
    const training = (trial: Trial) =>
      new Observable<{ result: number }>((subscriber) => {
        const held = tensor1d([1]);
        subscriber.add(() => held.dispose());
        started.push(trial.number);
        if (started.length === 2) queueMicrotask(() => subscription.unsubscribe());
      }).pipe(report(trial, ({ result }) => result));
    const subscription = trials(study, 10, { concurrency: 2 }).pipe(mergeMap(training, 2)).subscribe();
    await new Promise((done) => setTimeout(done, 20));
    assert.deepEqual([started, memory().numTensors], [[0, 1], before]);
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fail_reason]),
      [
        ['FAIL', 'unsubscribed'],
        ['FAIL', 'unsubscribed'],
      ],
    );
  });

  it('makes FAIL a trial that was being asked for when it was unsubscribed', async () => {
    const study = await make();
    trials(study, 3).subscribe().unsubscribe();
    await turn();
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fail_reason]),
      [['FAIL', 'unsubscribed before it began']],
    );
    await study.enqueueTrial({ x: 0.1 });
    trials(study, 3).subscribe().unsubscribe();
    await turn();
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fixed_params]),
      [
        ['FAIL', undefined],
        ['FAIL', { x: 0.1 }],
        ['WAITING', { x: 0.1 }],
      ],
    );
  });

  it('ends the other trials when one fails, and passes the error on', async () => {
    const study = await make();
    const never = new Subject<{ result: number }>();
    const burst = throwError(() => new Error('burst'));
    const training = (trial: Trial): Observable<{ result: number }> => (trial.number === 2 ? burst : never);
    const search = trials(study, 10, { concurrency: 3 }).pipe(
      mergeMap((trial) => training(trial).pipe(report(trial, ({ result }) => result)), 3),
    );
    await assert.rejects(lastValueFrom(search), /burst/);
    await turn();
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fail_reason]),
      [
        ['FAIL', 'unsubscribed'],
        ['FAIL', 'unsubscribed'],
        ['FAIL', 'burst'],
      ],
    );
    assert.equal(never.observed, false);
  });

  const kept = async (study: Study) =>
    (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs['fail_reason']]);
  const thrown = (trial: Trial): Observable<{ result: number }> => {
    throw new Error(`no training ${trial.number}`);
  };

  for (const [how, search] of [
    ['alone', (study: Study) => trials(study, 3).pipe(mergeMap(thrown))],
    ['in a second pipe', (study: Study) => trials(study, 3).pipe(tap()).pipe(tap(), mergeMap(thrown))],
    [
      'before it is touched',
      (study: Study) => trials(study, 3).pipe(map(() => thrown({ number: 0 } as Trial))),
    ],
    ['in a promise', (study: Study) => trials(study, 3).pipe(concatMap(async (trial) => thrown(trial)))],
    ['under a total', (study: Study) => trials(study, 3, { total: 2 }).pipe(mergeMap(thrown))],
    ['from another source', (study: Study) => from(trials(study, 3)).pipe(mergeMap(thrown))],
  ] as const)
    it(`ends a trial whose work throws before there is a stream, ${how}`, async () => {
      const study = await make();
      await assert.rejects(lastValueFrom(search(study) as Observable<unknown>), /no training 0/);
      assert.deepEqual(await kept(study), [['FAIL', 'no training 0']]);
    });

  it('ends the others with their own reasons when the work on one throws', async () => {
    const study = await make();
    const never = new Subject<{ result: number }>();
    const work = (trial: Trial) => {
      if (trial.number === 2) thrown(trial);
      return never.pipe(report(trial, ({ result }) => result));
    };
    await assert.rejects(
      lastValueFrom(trials(study, 9, { concurrency: 3 }).pipe(mergeMap(work, 3))),
      /no training 2/,
    );
    assert.deepEqual(await kept(study), [
      ['FAIL', 'unsubscribed'],
      ['FAIL', 'unsubscribed'],
      ['FAIL', 'no training 2'],
    ]);
    assert.equal(never.observed, false);
  });

  it('ends a whole group when the work on it throws', async () => {
    const study = await make();
    const search = trialGroups(study, 4, 2).pipe(concatMap(([first]) => thrown(first!)));
    await assert.rejects(lastValueFrom(search), /no training 0/);
    assert.deepEqual(await kept(study), [
      ['FAIL', 'no training 0'],
      ['FAIL', 'no training 0'],
    ]);
  });

  it('does not restart stopped trials when another search begins', async () => {
    const study = await make();
    const slow = (trial: Trial) =>
      timer(10).pipe(
        tap(() => trial.number === 1 && study.stop()),
        mergeMap(() => timer(10)),
        mergeMap(() => value(trial)),
      );
    const first = lastValueFrom(trials(study, 100, { concurrency: 2 }).pipe(mergeMap(slow, 2)));
    await new Promise((done) => setTimeout(done, 15));
    while (!study.stopped) await turn();
    const second = lastValueFrom(trials(study, 3).pipe(concatMap((trial) => value(trial))));
    await study.optimize(() => 1, { trials: 2 });
    await Promise.all([first, second]);
    assert.equal((await states(study)).length, 2 + 3 + 2);
  });

  it('goes on after errors that report catches', async () => {
    const study = await make();
    const search = trials(study, 4).pipe(
      concatMap((trial) =>
        (trial.number % 2 ? throwError(() => new Error('odd')) : of({ result: 1 })).pipe(
          report<{ result: number }>(trial, ({ result }) => result, { catches: () => true }),
        ),
      ),
    );
    await lastValueFrom(search);
    assert.deepEqual(await states(study), ['COMPLETE', 'FAIL', 'COMPLETE', 'FAIL']);
  });

  it('lets a subscriber stop the study, as a callback does', async () => {
    const study = await make();
    const seen = await lastValueFrom(
      trials(study).pipe(
        concatMap((trial) => value(trial)),
        tap((event) => 'state' in event && event.state === 'COMPLETE' && event.value === 4 && study.stop()),
        toArray(),
      ),
    );
    assert.equal((seen.at(-1) as TrialEvent).number, 4);
    assert.equal((await states(study)).length, 5);
    await lastValueFrom(trials(study, 1).pipe(concatMap((trial) => value(trial))));
    assert.equal((await states(study)).length, 6);
  });

  it('begins no trial after its timeout, and lets the last one finish', async () => {
    const study = await make();
    const search = trials(study, 1000, { timeout: 0.05 }).pipe(
      concatMap((trial) => timer(30).pipe(mergeMap(() => value(trial)))),
    );
    await lastValueFrom(search);
    const ended = await states(study);
    assert(ended.length >= 1 && ended.length <= 3, String(ended.length));
    assert(ended.every((state) => state === 'COMPLETE'));
  });

  it('lets those that run go on when it is closed before the work', async () => {
    const study = await make();
    await lastValueFrom(
      trials(study, 10).pipe(
        take(2),
        concatMap((trial) => value(trial)),
      ),
    );
    assert.deepEqual(await states(study), ['COMPLETE', 'COMPLETE']);
  });

  it('passes on an error of the storage or sampler', async () => {
    const study = await make({
      sampler: {
        ...middle,
        inferRelativeSearchSpace: () => {
          throw new Error('no idea');
        },
      },
    });
    await assert.rejects(lastValueFrom(trials(study, 2)), /no idea/);
    const [failed] = await study.trials();
    assert.deepEqual(
      [failed!.state, failed!.systemAttrs.fail_reason],
      ['FAIL', 'the sampler failed: no idea'],
    );
  });

  it('refuses a concurrency that makes no sense', async () => {
    const study = await make();
    for (const concurrency of [0, 1.5, Number.NaN])
      assert.throws(
        () => trials(study, 1, { concurrency }),
        /^UserError: concurrency: expected an integer from 1 up, got/,
      );
  });

  it('prunes in a search: frees tensors, and begins the next', async () => {
    const study = await make({ pruner: new MedianPruner({ startupTrials: 1 }) });
    await study.enqueueTrial({ level: 1 });
    await study.enqueueTrial({ level: 5 });
    await study.enqueueTrial({ level: 0 });
    const before = memory().numTensors;
    const most: number[] = [];
    const training = (trial: Trial) => {
      const level = trial.suggestFloat('level', 0, 10);
      return new Observable<{ result: number }>((subscriber) => {
        const held = tensor1d([level]);
        most.push(memory().numTensors - before);
        subscriber.add(() => held.dispose());
        subscriber.add(
          timer(0, 1)
            .pipe(
              take(4),
              tap((i) => subscriber.next({ result: level + i })),
              tap({ complete: () => subscriber.complete() }),
            )
            .subscribe(),
        );
      });
    };
    const events = await lastValueFrom(
      trials(study, 3).pipe(
        concatMap((trial) =>
          training(trial).pipe(
            report(trial, ({ result }) => result),
            prune(trial),
          ),
        ),
        toArray(),
      ),
    );
    assert.deepEqual(await states(study), ['COMPLETE', 'PRUNED', 'COMPLETE']);
    assert.deepEqual([most, memory().numTensors], [[1, 1, 1], before]);
    assert.equal(events.filter((event) => 'state' in event && event.state === 'PRUNED').length, 1);
    assert.deepEqual(
      (await study.trials()).map(({ intermediateValues }) => intermediateValues.size),
      [4, 1, 4],
    );
  });

  describe('with a total', () => {
    it('stops where the study has as many, over all its processes, and replaces those that fail', async () => {
      const storage = new MemoryStorage();
      const [a, b] = [
        await make({ storage, studyName: 's' }),
        await make({ storage, studyName: 's', loadIfExists: true }),
      ];
      const search = (study: Study) =>
        trials(study, undefined, { total: 9, concurrency: 2 }).pipe(
          mergeMap(
            (trial) =>
              timer(trial.number % 2).pipe(
                mergeMap(() => value(trial, trial.number % 4 === 3 ? Number.NaN : 1)),
              ),
            2,
          ),
        );
      await lastValueFrom(search(a));
      assert.equal((await a.trials(['COMPLETE'])).length, 9);
      await lastValueFrom(search(b).pipe(ignoreElements()), { defaultValue: undefined });
      assert.equal((await b.trials(['COMPLETE'])).length, 9);
    });

    it('runs no extra trial where heartbeats are kept, and waits for those that others run', async function () {
      const place = await needsPlace(this, 'sqlite');
      const open = () =>
        make({
          storage: place.url,
          studyName: 's',
          loadIfExists: true,
          heartbeatInterval: 0.2,
          gracePeriod: 60,
        });
      const [a, b, dead] = [await open(), await open(), await open()];
      const lost = await dead.ask();
      await dead.close();
      await stopHeart(place, lost.record.id);
      const search = (study: Study) =>
        trials(study, undefined, { total: 12, concurrency: 2 }).pipe(
          mergeMap((trial) => timer(1 + (trial.number % 5)).pipe(mergeMap(() => value(trial))), 2),
        );
      await lastValueFrom(merge(search(a), search(b)));
      const all = await a.trials();
      assert.deepEqual(
        all.map(({ state }) => state),
        ['FAIL', ...Array.from({ length: 12 }, () => 'COMPLETE')],
      );
      assert.deepEqual(
        all
          .filter(({ systemAttrs }) => 'retry_history' in systemAttrs)
          .map(({ systemAttrs }) => systemAttrs.retry_history),
        [[0]],
      );
      for (const study of [a, b]) await study.close();
      await place.remove();
    });

    it('does not wait for a trial of its own that hangs when it is unsubscribed', async () => {
      const study = await make();
      const search = trials(study, undefined, { total: 1, concurrency: 2 });
      const trial = await firstValueFrom(search);
      await study.tell(trial, 1);
      assert.equal((await states(study)).length, 1);
    });
  });

  it('is a stream like any other', async () => {
    const study = await make();
    const numbers = await lastValueFrom(
      from(trials(study, 3)).pipe(
        concatMap(async (trial) => {
          await study.tell(trial, trial.suggestFloat('x', 0, 2));
          return trial.number;
        }),
        toArray(),
      ),
    );
    assert.deepEqual(numbers, [0, 1, 2]);
    assert.equal(await study.bestValue(), 1);
  });
});
