import assert from 'node:assert/strict';
import type { Sampler } from '../../src/study/contracts/sampler.js';
import { createStudy } from '../../src/study/create-study.js';
import { NopPruner } from '../../src/study/pruners/nop.js';
import { Nsga2Sampler } from '../../src/study/samplers/nsga2/nsga2.js';
import { TpeSampler } from '../../src/study/samplers/tpe/tpe.js';
import { MemoryStorage } from '../../src/study/storage/memory-storage.js';
import { TrialPruned } from '../../src/study/trial-pruned.js';
import type { FrozenTrial, Json } from '../../src/study/trials/frozen-trial.js';
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
  it('ends each trial as its objective says', async () => {
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

  it('refuses constraints that are no numbers, whoever samples: the trial ends, and is not the best', async () => {
    const wrong = [Number.NaN, '1', null, undefined] as unknown as number[];
    for (const Sampler of [TpeSampler, Nsga2Sampler])
      for (const constraint of wrong) {
        const { study } = await make({
          sampler: new Sampler({ seed: 1, constraints: ({ number }) => [number === 1 ? constraint : 0] }),
        });
        const search = study.optimize((trial) => trial.suggestFloat('x', 0, 1) - trial.number, { trials: 5 });
        await assert.rejects(search, {
          name: 'UserError',
          message: /^trial 1: expected constraints in an array of numbers, none NaN, got/,
        });
        assert.deepEqual(
          (await study.trials()).map(({ state, systemAttrs }) => [state, systemAttrs['constraints']]),
          [
            ['COMPLETE', [0]],
            ['COMPLETE', null],
          ],
        );
        assert.equal((await study.bestTrial()).number, 0);
      }
    for (const constraints of [() => 1, () => undefined, () => 'x'] as unknown as (() => number[])[]) {
      const { study } = await make({ sampler: new TpeSampler({ constraints }) });
      await assert.rejects(
        study.optimize(() => 1, { trials: 5 }),
        /expected constraints in an array of numbers/,
      );
      assert.equal((await study.trials(['RUNNING'])).length, 0);
    }
  });

  it('waits for onTrial, and ends with its error', async () => {
    const { study } = await make();
    const seen: string[] = [];
    const failing = study.optimize(({ number }) => (seen.push(`runs ${number}`), 1), {
      trials: 5,
      onTrial: async ({ number }) => {
        await pause(2);
        seen.push(`heard ${number}`);
        if (number === 1) throw new Error('the callback fails');
      },
    });
    await assert.rejects(failing, /the callback fails/);
    assert.deepEqual(seen, ['runs 0', 'heard 0', 'runs 1', 'heard 1']);
    assert.deepEqual(
      (await study.trials()).map(({ state }) => state),
      ['COMPLETE', 'COMPLETE'],
    );
  });

  it('is refused inside its own objective, and only there', async () => {
    const { study } = await make();
    const { study: other } = await make();
    const message = /its objective, or onTrial, cannot call optimize on the study itself/;
    const nested = async () => {
      await assert.rejects(
        study.optimize(() => 1, { trials: 1 }),
        message,
      );
      return 1;
    };
    await study.optimize(nested, { trials: 1, onTrial: nested });
    await assert.rejects(
      study.optimize(() => study.optimize(() => 1) as unknown as number, { trials: 3 }),
      message,
    );
    await study.optimize(async () => (await other.optimize(() => 1, { trials: 2 }), 1), { trials: 1 });
    assert.deepEqual(
      [await study.trials(), await other.trials()].map((trials) => trials.map(({ state }) => state)),
      [
        ['COMPLETE', 'FAIL', 'COMPLETE'],
        ['COMPLETE', 'COMPLETE'],
      ],
    );
  });

  it('stays stopped when another call begins', async () => {
    const { study } = await make();
    const first = study.optimize(
      async ({ number }) => {
        if (number === 2) study.stop();
        await pause(2);
        return 1;
      },
      { trials: 100, concurrency: 3 },
    );
    while (!study.stopped) await pause(0);
    await study.optimize(() => 1, { trials: 4 });
    await first;
    assert.equal((await study.trials()).length, 3 + 4);
  });

  it('refuses invalid options before it asks', async () => {
    const { study } = await make();
    for (const [objective, options, message] of [
      [undefined, {}, /^UserError: objective: expected a function of a trial, got undefined/],
      [() => 1, { trials: Number.NaN }, /^UserError: trials: expected an integer from 0 up, got NaN/],
      [() => 1, { trials: '3' }, /trials: expected an integer from 0 up, got "3"/],
      [() => 1, { trials: -1 }, /trials: expected an integer from 0 up, got -1/],
      [() => 1, { timeout: Number.NaN }, /timeout: expected seconds from 0 up, got NaN/],
      [() => 1, { timeout: -1 }, /timeout: expected seconds from 0 up, got -1/],
    ] as const)
      await assert.rejects(study.optimize(objective as () => number, options as object), message);
    assert.deepEqual(await study.trials(), []);
  });

  it('makes FAIL what a sampler throws, whatever that is', async () => {
    for (const what of [undefined, 'a string', Object.create(null)]) {
      const { study } = await make({
        sampler: {
          ...middle,
          inferRelativeSearchSpace: () => {
            throw what;
          },
        },
      });
      await assert.rejects(study.ask(), (error) => error === what);
      const [trial] = await study.trials();
      assert.match(String(trial!.systemAttrs['fail_reason']), /^the sampler failed: /);
      assert.equal(trial!.state, 'FAIL');
    }
  });

  it('refuses sampler attributes that are not JSON', async () => {
    const { study } = await make({
      sampler: {
        ...middle,
        beforeTrial: (view, trial) =>
          trial.number === 0
            ? view.setTrialSystemAttr(trial, 'note', new Map() as unknown as Json)
            : view.setSystemAttr('note', new Date() as unknown as Json),
      } satisfies Sampler,
    });
    await assert.rejects(study.ask(), /^UserError: system attribute "note": expected JSON .* got a Map/);
    await assert.rejects(study.ask(), /^UserError: system attribute "note" of the study: .* got a Date/);
    assert.deepEqual(
      (await study.trials()).map(({ state }) => state),
      ['FAIL', 'FAIL'],
    );
  });

  it('skips a trial that was marked stale meanwhile', async () => {
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
    const { floatDistribution } = await import('../../src/study/trials/make-distribution.js');
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
    const { floatDistribution } = await import('../../src/study/trials/make-distribution.js');
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
