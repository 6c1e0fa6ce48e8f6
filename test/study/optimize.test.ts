import assert from 'node:assert/strict';
import { createStudy } from '../../src/study/create-study.js';
import type { FrozenTrial } from '../../src/study/frozen-trial.js';
import { NopPruner } from '../../src/study/pruners/nop.js';
import { MemoryStorage } from '../../src/study/storage/memory-storage.js';
import { TrialPruned } from '../../src/study/trial.js';
import { middle } from './sampler.js';

const make = async (more: object = {}) => {
  const warnings: string[] = [];
  const study = await createStudy({
    sampler: middle,
    pruner: new NopPruner(),
    warn: (_, message) => warnings.push(message),
    ...more,
  });
  return { study, warnings };
};
const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

describe('study.optimize', () => {
  it('makes of each trial what its objective says', async () => {
    const { study, warnings } = await make();
    const heard: FrozenTrial['state'][] = [];
    await study.optimize(
      async (trial) => {
        await trial.report(7, 1);
        if (trial.number === 1) throw new TrialPruned();
        if (trial.number === 2) return Number.NaN;
        if (trial.number === 3) return [1, 2];
        if (trial.number === 4) throw new RangeError('no');
        return trial.suggestFloat('x', 0, 4);
      },
      {
        trials: 6,
        catches: (error) => error instanceof RangeError,
        onTrial: ({ state }) => heard.push(state),
      },
    );
    const trials = await study.trials();
    assert.deepEqual(
      trials.map(({ state, values, systemAttrs }) => [state, values, systemAttrs.fail_reason]),
      [
        ['COMPLETE', [2], undefined],
        ['PRUNED', [7], undefined],
        ['FAIL', null, 'a value is NaN'],
        ['FAIL', null, '2 values came for 1 objectives'],
        ['FAIL', null, 'no'],
        ['COMPLETE', [2], undefined],
      ],
    );
    assert.deepEqual(
      heard,
      trials.map(({ state }) => state),
    );
    assert.equal(warnings.length, 2);
    assert.deepEqual([await study.bestValue(), await study.bestParams()], [2, { x: 2 }]);
  });

  it('stops at an error that it does not catch, after telling it', async () => {
    const { study } = await make();
    const failing = study.optimize(() => {
      throw new Error('burst');
    });
    await assert.rejects(failing, /burst/);
    assert.deepEqual(
      (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs.fail_reason]),
      [['FAIL', 'burst']],
    );
  });

  it('runs so many at a time, and no more', async () => {
    const { study } = await make();
    let [running, most] = [0, 0];
    const objective = async () => {
      most = Math.max(most, ++running);
      await pause(2);
      running--;
      return 1;
    };
    await study.optimize(objective, { trials: 9, concurrency: 3 });
    assert.deepEqual([most, (await study.trials()).length], [3, 9]);
    await assert.rejects(
      study.optimize(objective, { concurrency: 0 }),
      /concurrency: expected an integer from 1 up, got 0/,
    );
  });

  it('ends by timeout, by stop and by signal, each after the trials that run', async () => {
    const { study } = await make();
    const abort = new AbortController();
    await study.optimize(async () => (await pause(20), 1), { timeout: 0.01 });
    await study.optimize(() => (study.stop(), 1));
    await study.optimize(() => (abort.abort(), 1), { signal: abort.signal });
    assert.deepEqual(
      (await study.trials()).map(({ state }) => state),
      ['COMPLETE', 'COMPLETE', 'COMPLETE'],
    );
  });

  it('passes over a trial that was found stale meanwhile', async () => {
    const storage = new MemoryStorage();
    const { study, warnings } = await make({ storage });
    await study.optimize(
      async ({ number, record }) => {
        if (number === 0) await storage.finishTrial(record.id, { state: 'FAIL', values: null, time: 0 });
        return number;
      },
      { trials: 2 },
    );
    assert.deepEqual(
      (await study.trials()).map(({ state }) => state),
      ['FAIL', 'COMPLETE'],
    );
    assert.match(warnings.join(), /trial 0: expected a RUNNING one to tell/);
  });
});

describe('study', () => {
  it('takes fixed parameters and enqueued ones, and warns of one out of range', async () => {
    const { study, warnings } = await make();
    await study.enqueueTrial({ x: 9, c: 'b' });
    const trial = await study.ask();
    assert.deepEqual([trial.suggestFloat('x', 0, 1), trial.suggestCategorical('c', ['a', 'b'])], [9, 'b']);
    assert.match(warnings.join(), /"x" is fixed at 9, outside its range/);
    await study.enqueueTrial({ c: 'z' });
    const wrong = await study.ask();
    assert.throws(() => wrong.suggestCategorical('c', ['a', 'b']), /expected one of \["a","b"\], got "z"/);
  });

  it('takes what a relative sampler proposes where it fits, and asks independently elsewhere', async () => {
    const { floatDistribution } = await import('../../src/study/distributions.js');
    const space = new Map([['x', floatDistribution(0, 10)]]);
    const { study } = await make({
      sampler: { ...middle, inferRelativeSearchSpace: () => space, sampleRelative: () => ({ x: 8 }) },
    });
    const trial = await study.ask();
    assert.equal(trial.suggestFloat('x', 0, 10), 8);
    assert.equal((await study.ask()).suggestFloat('x', 0, 5), 2.5);
    assert.equal(trial.suggestFloat('y', 0, 10), 5);
    assert.equal(trial.suggestInt('only', 3, 3), 3);
  });

  it('adds trials from elsewhere, and refuses those that contradict themselves', async () => {
    const { study } = await make();
    const { floatDistribution } = await import('../../src/study/distributions.js');
    const distributions = { x: floatDistribution(0, 1) };
    const added = await study.addTrial({ state: 'COMPLETE', values: [1], params: { x: 0.5 }, distributions });
    assert.deepEqual([added.number, added.internalParams], [0, { x: 0.5 }]);
    for (const [template, message] of [
      [{ state: 'COMPLETE' }, /no value was told/],
      [{ state: 'FAIL', values: [1] }, /expected no values with FAIL/],
      [{ state: 'COMPLETE', values: [1], params: { x: 2 }, distributions }, /expected "x" within .* got 2/],
      [{ state: 'COMPLETE', values: [1], params: { x: 2 } }, /parameter "x" has no distribution/],
      [{ state: 'WAITING', datetimeComplete: 5 }, /expected no datetimeComplete with WAITING/],
    ] as const)
      await assert.rejects(study.addTrial(template), message);
    assert.equal((await study.trials()).length, 1);
  });

  it('leaves infeasible trials out of the best', async () => {
    const { study } = await make();
    for (const [value, constraint] of [
      [1, 2],
      [2, -1],
      [3, 0],
    ] as const)
      await study.addTrial({
        state: 'COMPLETE',
        values: [value],
        systemAttrs: { constraints: [constraint] },
      });
    assert.equal((await study.bestTrial()).number, 1);
    assert.deepEqual(
      (await study.bestTrials()).map(({ number }) => number),
      [1],
    );
  });

  it('refuses a tell whose state and values contradict each other, and then takes a right one', async () => {
    const { study } = await make();
    const trial = await study.ask();
    await assert.rejects(
      study.tell(trial, null, { state: 'COMPLETE' }),
      /expected values that COMPLETE accepts, but no value was told/,
    );
    await assert.rejects(study.tell(trial, 1, { state: 'PRUNED' }), /expected no values with PRUNED, got 1/);
    assert.equal((await study.tell(trial, 1)).state, 'COMPLETE');
    assert.deepEqual((await study.tell(trial, 2, { skipIfFinished: true })).values, [1]);
  });
});
