import assert from 'node:assert/strict';
import { memory, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { concat, lastValueFrom, NEVER, Observable, of, Subject, throwError, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { report } from '../../operators/report.js';
import type { TrialEvent, ValidationEvent } from '../../src/events/event.js';
import type { Scores } from '../../src/events/scores.js';
import { createStudy } from '../../src/study/create-study.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import type { Direction } from '../../src/study/trials/frozen-trial.js';
import { middle } from '../study/sampler.js';
import { SlowStorage } from '../study/slow-storage.js';

interface Value {
  readonly value?: number;
  readonly epoch?: number;
  readonly step?: number;
}

const read = (event: Value) => event.value;
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('report', () => {
  let study: Study;
  let storage: SlowStorage;
  let warnings: string[];
  const begin = async (...directions: Direction[]) => {
    warnings = [];
    storage = new SlowStorage();
    study = await createStudy({
      storage,
      studyName: 'reported',
      directions: directions.length > 0 ? directions : ['minimize'],
      sampler: middle,
      warn: (code, message) => warnings.push(`${code}: ${message}`),
    });
    return study.ask();
  };
  const first = async () => (await study.trials())[0]!;
  const end = async () => {
    const { state, values, systemAttrs } = await first();
    return [state, values, systemAttrs.fail_reason];
  };

  it('passes events in their frame after one of its own, and unsubscribes the source', async () => {
    const trial = await begin();
    new TestScheduler((actual, expected) => assert.deepEqual(actual, expected)).run(
      ({ hot, expectObservable, expectSubscriptions }) => {
        const source = hot('  -a-(bc)-d', { a: { epoch: 1 }, b: { epoch: 2 }, c: {}, d: {} });
        const unsubscribe = ' -------!';
        const shown = source.pipe(
          report(trial, read),
          (events$) =>
            new Observable<string>((subscriber) =>
              events$.subscribe((event) =>
                subscriber.next('type' in event ? event.state : `epoch ${event.epoch}`),
              ),
            ),
        );
        expectObservable(shown, unsubscribe).toBe('ra-(bc)--', {
          r: 'RUNNING',
          a: 'epoch 1',
          b: 'epoch 2',
          c: 'epoch undefined',
        });
        expectSubscriptions(source.subscriptions).toBe('^------!');
      },
    );
    await turn();
    assert.deepEqual(await end(), ['FAIL', null, 'unsubscribed']);
  });

  it('prunes what the guard stopped: its last value is no result', async () => {
    const trial = await begin();
    const done = { type: 'done', reason: 'guard' };
    await lastValueFrom(of<Value[]>({ epoch: 1, value: 3 }, done as Value).pipe(report(trial, read)));
    const { state, values } = await first();
    assert.deepEqual([state, values], ['PRUNED', [3]]);
    const other = await study.ask();
    const finished = { type: 'done', reason: 'finished' };
    await lastValueFrom(of<Value[]>({ epoch: 1, value: 3 }, finished as Value).pipe(report(other, read)));
    assert.deepEqual((await study.trials())[1]!.state, 'COMPLETE');
  });

  it('reports whenever an event has the metric, says so, and tells the last value', async () => {
    const trial = await begin();
    trial.suggestFloat('x', 0, 1);
    const events = await lastValueFrom(
      of<Value[]>({ epoch: 1, value: 3 }, { epoch: 2 }, { epoch: 3, value: 1 }, { epoch: 4, value: 2 }).pipe(
        report(trial, read),
        toArray(),
      ),
    );
    const said = events.map((event) => {
      if (!('type' in event)) return event;
      const { time, ...rest } = event;
      assert(Math.abs(time - Date.now()) < 60_000);
      return rest;
    });
    const own = { type: 'trial', study: 'reported', number: 0, params: { x: 0.5 } };
    assert.deepEqual(said, [
      { ...own, state: 'RUNNING' },
      { epoch: 1, value: 3 },
      { ...own, state: 'RUNNING', step: 1, value: 3 },
      { epoch: 2 },
      { epoch: 3, value: 1 },
      { ...own, state: 'RUNNING', step: 3, value: 1 },
      { epoch: 4, value: 2 },
      { ...own, state: 'RUNNING', step: 4, value: 2 },
      { ...own, state: 'COMPLETE', value: 2, values: [2] },
    ]);
    assert.deepEqual(await end(), ['COMPLETE', [2], undefined]);
    assert.deepEqual(
      [...(await first()).intermediateValues],
      [
        [1, 3],
        [3, 1],
        [4, 2],
      ],
    );
  });

  it('takes the step from epoch, step, the count of reports, or a given function', async () => {
    for (const [events, steps, options] of [
      [[{ epoch: 7, step: 9, value: 1 }], [7], {}],
      [[{ step: 9, value: 1 }, { value: 1 }], [9, 1], {}],
      [[{ value: 1 }, {}, { value: 1 }], [0, 1], {}],
      [[{ epoch: 1, step: 40, value: 1 }], [40], { step: ({ step }: Value) => step }],
      [[{ step: 1, value: 1 }], [], { step: () => null }],
    ] as const) {
      const trial = await begin();
      await lastValueFrom(of<Value[]>(...events).pipe(report(trial, read, options)));
      assert.deepEqual([...(await first()).intermediateValues.keys()], steps);
    }
  });

  it('reads a validation score by its name', async () => {
    const trial = await begin('maximize');
    const validation = {
      type: 'validation',
      epoch: 2,
      step: 8,
      scores: { loss: 0, softDice: 0.75 } as Scores,
    } as ValidationEvent;
    await lastValueFrom(
      of({ type: 'epoch' } as unknown as ValidationEvent, validation).pipe(report(trial, 'softDice')),
    );
    const { values, intermediateValues } = await first();
    assert.deepEqual([values, [...intermediateValues]], [[0.75], [[2, 0.75]]]);
  });

  for (const [direction, best] of [
    ['minimize', 1],
    ['maximize', 3],
  ] as const)
    it(`tells the best value where it is to ${direction}`, async () => {
      const trial = await begin(direction);
      await lastValueFrom(
        of<Value[]>({ value: 2 }, { value: 3 }, { value: 1 }, { value: 2 }).pipe(
          report(trial, read, { value: 'best' }),
        ),
      );
      assert.deepEqual(await end(), ['COMPLETE', [best], undefined]);
    });

  it('tells a value for each of several objectives, and reports no intermediate ones', async () => {
    const trial = await begin('minimize', 'maximize');
    await lastValueFrom(
      of<Value[]>({ value: 2, step: 5 }, { value: 3, step: 7 }).pipe(
        report(trial, [read, ({ step }) => step]),
      ),
    );
    assert.deepEqual(await end(), ['COMPLETE', [3, 7], undefined]);
    assert.equal((await first()).intermediateValues.size, 0);
    assert.throws(() => report(trial, read), /expected a metric for each of 2 objectives, got 1/);
  });

  for (const [what, events, reason] of [
    ['nothing was reported', [{}], 'no value was told'],
    ['the last value is NaN', [{ value: 1 }, { value: Number.NaN }], 'a value is NaN'],
  ] as const)
    it(`makes the trial FAIL where ${what}, and goes on`, async () => {
      const trial = await begin();
      const last = (await lastValueFrom(of<Value[]>(...events).pipe(report(trial, read)))) as TrialEvent;
      assert.deepEqual([last.state, last.reason], ['FAIL', reason]);
      assert.deepEqual(await end(), ['FAIL', null, reason]);
      assert.deepEqual(warnings, [`objective: trial 0 is FAIL: ${reason}`]);
    });

  it('makes the trial FAIL with the reason of an error, which goes on', async () => {
    const trial = await begin();
    const failing = concat(
      of<Value>({ value: 1 }),
      throwError(() => new Error('out of memory')),
    );
    await assert.rejects(lastValueFrom(failing.pipe(report(trial, read))), /out of memory/);
    assert.deepEqual(await end(), ['FAIL', null, 'out of memory']);
  });

  it('ends quietly after an error that it catches', async () => {
    const trial = await begin();
    const failing = throwError(() => new RangeError('too big'));
    const events = await lastValueFrom(
      failing.pipe(report(trial, read, { catches: (error) => error instanceof RangeError }), toArray()),
    );
    assert.deepEqual(
      events.map((event) => [(event as TrialEvent).state, (event as TrialEvent).reason]),
      [
        ['RUNNING', undefined],
        ['FAIL', 'too big'],
      ],
    );
    assert.deepEqual(await end(), ['FAIL', null, 'too big']);
  });

  it('stores a report before the next event passes', async () => {
    const trial = await begin();
    const events = new Subject<Value>();
    const seen: unknown[] = [];
    events
      .pipe(report(trial, read))
      .subscribe((event) => seen.push('type' in event ? event.state : event.epoch));
    storage.hold();
    events.next({ epoch: 1, value: 5 });
    events.next({ epoch: 2 });
    await turn();
    assert.deepEqual(seen, ['RUNNING']);
    storage.release();
    await turn();
    assert.deepEqual(seen, ['RUNNING', 1, 'RUNNING', 2]);
    events.complete();
    await trial.ended;
  });

  it('releases everything when it is unsubscribed, even while a report is being stored', async () => {
    const trial = await begin();
    const events = new Subject<Value>();
    const before = memory().numTensors;
    let held: Tensor | undefined;
    const training = new Observable<Value>((subscriber) => {
      held = tensor1d([1, 2, 3]);
      subscriber.add(() => held?.dispose());
      subscriber.add(events.subscribe(subscriber));
    });
    const subscription = training.pipe(report(trial, read)).subscribe();
    storage.hold();
    events.next({ value: 1 });
    assert.equal(memory().numTensors, before + 1);
    subscription.unsubscribe();
    assert.equal(memory().numTensors, before);
    assert.equal(events.observed, false);
    storage.release();
    await trial.ended;
    assert.deepEqual(await end(), ['FAIL', null, 'unsubscribed']);
    assert.deepEqual([...(await first()).intermediateValues], [[0, 1]]);
  });

  it('re-enqueues an unsubscribed trial if asked to, and not one that has nothing to repeat', async () => {
    const trial = await begin();
    const stop = async (stopped: Trial) => {
      NEVER.pipe(report<Value>(stopped, read, { retry: true }))
        .subscribe()
        .unsubscribe();
      await stopped.ended;
    };
    await stop(trial);
    assert.equal((await study.trials()).length, 1);
    await study.enqueueTrial({ x: 0.1 });
    const enqueued = await study.ask();
    enqueued.suggestFloat('y', 0, 1);
    await stop(enqueued);
    // A retry lets a trial of its own go first.
    await study.tell(await study.ask(), 1);
    const retried = await study.ask();
    retried.suggestFloat('y', 0, 1);
    await stop(retried);
    const { state, params, systemAttrs } = (await study.trials()).at(-1)!;
    const fixed = { fixed_params: { x: 0.1 }, failed_trial: 1, retry_history: [1, 2] };
    assert.deepEqual([state, params, systemAttrs], ['WAITING', { y: 0.5 }, fixed]);
  });

  it('keeps the best value past NaN, and tells NaN if there is nothing else', async () => {
    for (const [values, direction, told] of [
      [[0.9, Number.NaN, 0.5], 'maximize', 0.9],
      [[Number.NaN, 0.9, 0.5], 'minimize', 0.5],
      [[Number.NaN, 0.2, Number.NaN], 'maximize', 0.2],
      [[0.5, Number.NEGATIVE_INFINITY, Number.NaN], 'minimize', Number.NEGATIVE_INFINITY],
    ] as const) {
      const trial = await begin(direction);
      const events = values.map((value, epoch): Value => ({ value, epoch }));
      await lastValueFrom(of(...events).pipe(report(trial, read, { value: 'best' })));
      assert.deepEqual(await end(), ['COMPLETE', [told], undefined]);
    }
    const trial = await begin();
    await lastValueFrom(of<Value>({ value: Number.NaN }).pipe(report(trial, read, { value: 'best' })));
    assert.deepEqual(await end(), ['FAIL', null, 'a value is NaN']);
  });

  it('refuses a metric that is not a number, and the trial fails with its name', async () => {
    for (const wrong of [null, '0.5', {}, true, 1n] as unknown as number[]) {
      const trial = await begin();
      const out = lastValueFrom(of<Value>({ value: 1 }).pipe(report(trial, () => wrong)));
      const message =
        /^report: expected a metric that is a number, or undefined where an event has none, got/;
      await assert.rejects(out, { name: 'UserError', message });
      const [state, values, reason] = await end();
      assert.deepEqual([state, values], ['FAIL', null]);
      assert.match(String(reason), message);
      assert.equal((await first()).intermediateValues.size, 0);
    }
  });

  it('keeps as the reason whatever was thrown', async () => {
    for (const thrown of [undefined, Object.create(null), Symbol('s')]) {
      const trial = await begin();
      const out = lastValueFrom(throwError(() => thrown).pipe(report<Value>(trial, read)));
      await assert.rejects(out, (error) => error === thrown);
      assert.equal((await end())[0], 'FAIL');
    }
  });

  it('does not change a trial that was told elsewhere', async () => {
    const trial = await begin();
    const subscription = NEVER.pipe(report(trial, read)).subscribe();
    await study.tell(trial, 4);
    subscription.unsubscribe();
    await turn();
    assert.deepEqual(await end(), ['COMPLETE', [4], undefined]);
  });

  for (const how of ['report', 'completion', 'error'] as const)
    it(`ends with a warning at the next ${how} where the trial was found stale`, async () => {
      const trial = await begin();
      const events = new Subject<Value>();
      const out = lastValueFrom(events.pipe(report(trial, read, { catches: () => true }), toArray()));
      await storage.finishTrial(trial.record.id, { state: 'FAIL', values: null, time: 0 });
      if (how === 'report') events.next({ value: 1 });
      else if (how === 'completion') events.complete();
      else events.error(new Error('broken'));
      assert.equal((await out).length, 1);
      assert.equal(events.observed, false);
      assert.match(warnings.at(-1)!, /^trial: trial 0: expected a RUNNING one to tell/);
      await trial.ended;
    });
});
