import assert from 'node:assert/strict';
import { memory, tensor1d } from '@tensorflow/tfjs-core';
import { concat, delay, from, lastValueFrom, Observable, of, Subject, tap, throwError, toArray } from 'rxjs';
import { prune } from '../../operators/prune.js';
import { report } from '../../operators/report.js';
import type { TrialEvent } from '../../src/events/event.js';
import type { Pruner } from '../../src/study/contracts/pruner.js';
import { createStudy } from '../../src/study/create-study.js';
import { ThresholdPruner } from '../../src/study/pruners/threshold.js';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { middle } from '../study/sampler.js';
import { SlowStorage } from '../study/slow-storage.js';

interface Value {
  readonly value?: number;
}

const read = (event: Value) => event.value;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const values = (...list: number[]) => from(list.map((value): Value => ({ value })));
/** What a person reads of a stream: values, and the states of the trial with the value that came with them. */
const text = (event: Value | TrialEvent) =>
  'type' in event ? `${event.state}${event.step === undefined ? '' : ` ${event.step}`}` : String(event.value);

describe('prune', () => {
  let study: Study;
  let storage: SlowStorage;
  let warnings: string[];
  const begin = async (pruner: Pruner = new ThresholdPruner({ upper: 10 })) => {
    warnings = [];
    storage = new SlowStorage();
    study = await createStudy({
      storage,
      studyName: 'pruned',
      pruner,
      sampler: middle,
      warn: (code, message) => warnings.push(`${code}: ${message}`),
    });
    return study.ask();
  };
  const run = (trial: Trial, source: Observable<Value>) =>
    lastValueFrom(source.pipe(report(trial, read), prune(trial), toArray()));
  const end = async () => {
    const { state, values, systemAttrs } = (await study.trials())[0]!;
    return [state, values, systemAttrs.fail_reason];
  };

  it('passes all of a trial that goes on', async () => {
    const trial = await begin();
    assert.deepEqual((await run(trial, values(1, 2))).map(text), [
      'RUNNING',
      '1',
      'RUNNING 0',
      '2',
      'RUNNING 1',
      'COMPLETE',
    ]);
    assert.deepEqual(await end(), ['COMPLETE', [2], undefined]);
  });

  it('unsubscribes, frees tensors, and tells PRUNED with the last report', async () => {
    const trial = await begin();
    const events = new Subject<Value>();
    const before = memory().numTensors;
    const training = new Observable<Value>((subscriber) => {
      const held = tensor1d([1, 2]);
      subscriber.add(() => held.dispose());
      subscriber.add(events.subscribe(subscriber));
    });
    const out = run(trial, training);
    events.next({ value: 1 });
    await turn();
    assert.equal(events.observed, true);
    events.next({ value: 11 });
    await turn();
    assert.deepEqual([events.observed, memory().numTensors], [false, before]);
    assert.deepEqual((await out).map(text), ['RUNNING', '1', 'RUNNING 0', '11', 'RUNNING 1', 'PRUNED']);
    const last = (await out).at(-1) as TrialEvent;
    assert.deepEqual([last.value, last.values], [11, [11]]);
    assert.deepEqual(await end(), ['PRUNED', [11], undefined]);
  });

  it('lets the last report prune, whether the training ends at once or later', async () => {
    for (const source of [
      values(1, 11),
      values(1, 11).pipe(delay(1)),
      concat(values(1, 11), of({}).pipe(delay(5))),
    ]) {
      const trial = await begin();
      assert.deepEqual((await run(trial, source)).map(text), [
        'RUNNING',
        '1',
        'RUNNING 0',
        '11',
        'RUNNING 1',
        'PRUNED',
      ]);
      assert.deepEqual(await end(), ['PRUNED', [11], undefined]);
    }
  });

  it('holds back what comes while it decides', async () => {
    const trial = await begin({ prune: (_, { intermediateValues }) => intermediateValues.size === 2 });
    const events = new Subject<Value>();
    const seen: string[] = [];
    const out = lastValueFrom(
      events.pipe(
        report(trial, read),
        prune(trial),
        tap((event) => seen.push(text(event))),
      ),
    );
    storage.hold();
    for (const value of [1, 2, 3]) events.next({ value });
    await turn();
    assert.deepEqual(seen, ['RUNNING']);
    storage.release();
    await out;
    assert.deepEqual(seen, ['RUNNING', '1', 'RUNNING 0', '2', 'RUNNING 1', 'PRUNED']);
  });

  it('is PRUNED, not unsubscribed, however slow the storage', async () => {
    const trial = await begin();
    const events = new Subject<Value>();
    const out = run(trial, events);
    events.next({ value: 11 });
    storage.hold();
    await turn();
    storage.release();
    await out;
    assert.deepEqual(await end(), ['PRUNED', [11], undefined]);
    assert.deepEqual(warnings, []);
  });

  it('passes on an error of the pruner, and the trial is FAIL', async () => {
    const trial = await begin({
      prune: () => {
        throw new Error('bad pruner');
      },
    });
    await assert.rejects(run(trial, concat(values(1), new Subject<Value>())), /bad pruner/);
    assert.deepEqual(await end(), ['FAIL', null, 'bad pruner']);
  });

  it('passes on an error that comes while it decides', async () => {
    const trial = await begin();
    const source = concat(
      values(1),
      throwError(() => new Error('broken')),
    );
    await assert.rejects(run(trial, source), /broken/);
    assert.deepEqual(await end(), ['FAIL', null, 'broken']);
  });

  it('is unsubscribed from while it decides, and the trial is FAIL', async () => {
    const trial = await begin();
    const events = new Subject<Value>();
    const subscription = events.pipe(report(trial, read), prune(trial)).subscribe();
    events.next({ value: 11 });
    subscription.unsubscribe();
    await trial.ended;
    assert.equal(events.observed, false);
    assert.deepEqual(await end(), ['FAIL', null, 'unsubscribed']);
  });

  it('ends with a warning where the trial was found stale meanwhile', async () => {
    let stale = () => {};
    const trial = await begin({
      prune: () => {
        stale();
        return true;
      },
    });
    stale = () => void storage.finishTrial(trial.record.id, { state: 'FAIL', values: null, time: 0 });
    assert.deepEqual((await run(trial, values(1))).map(text), ['RUNNING', '1', 'RUNNING 0']);
    assert.match(warnings.join(), /^trial: trial 0: expected a RUNNING one to tell/);
  });
});
