import assert from 'node:assert/strict';
import type { Study } from '../../src/study/study.js';
import type { Trial } from '../../src/study/trial.js';
import { TrialPruned } from '../../src/study/trial-pruned.js';
import type { Outcome } from '../../src/study/trials/outcome.js';
import { TrialEndedError } from '../../src/study/trials/trial-ended-error.js';
import { overPlaces } from '../study/over-places.js';

const any = (value: unknown) => value as number;
const reasons = async (study: Study) =>
  (await study.trials()).map(({ state, values, systemAttrs }) => [state, values, systemAttrs['fail_reason']]);

/** What an objective may return, with what the trial then is. */
const RETURNED: readonly (readonly [unknown, string | null])[] = [
  [1, null],
  [-Infinity, null],
  [[2], null],
  ['0.5', '"0.5" is not a number'],
  [true, 'true is not a number'],
  [1n, '1n is not a number'],
  [undefined, 'no value was told'],
  [null, 'no value was told'],
  [Number.NaN, 'a value is NaN'],
  [[Number.NaN], 'a value is NaN'],
  [[], '0 values came for 1 objectives'],
  [[1, 2], '2 values came for 1 objectives'],
  [[[1]], '[ 1 ] is not a number'],
  [['1'], '"1" is not a number'],
  [[undefined], 'undefined is not a number'],
  [Array.from({ length: 1 }), 'undefined is not a number'],
  [{}, '{} is not a number'],
  [{ value: 1 }, '{ value: 1 } is not a number'],
  [new Float32Array(1), 'Float32Array(1) [ 0 ] is not a number'],
  [Symbol('s'), 'Symbol(s) is not a number'],
  [() => 1, '[Function (anonymous)] is not a number'],
  [Object.create(null), '[Object: null prototype] {} is not a number'],
];

const unreadable = new Error('x');
Object.defineProperty(unreadable, 'message', {
  get: () => {
    throw new Error('unreadable');
  },
});

/** What an objective may throw, with the reason that is kept. */
const THROWN: readonly (readonly [unknown, RegExp])[] = [
  [new Error('burst'), /^burst$/],
  [new RangeError(), /^RangeError$/],
  ['a string', /^a string$/],
  [undefined, /^undefined$/],
  [null, /^null$/],
  [7, /^7$/],
  [Object.create(null), /^\[Object: null prototype\] \{\}$/],
  [{ code: 1 }, /^\{ code: 1 \}$/],
  [Symbol('s'), /^Symbol\(s\)$/],
  [unreadable, /cannot be shown/],
  [new Error('🦶'.repeat(100_000)), /^(🦶){4999}\ud83e?…$/],
  [new Error('\0'.repeat(100_000)), /^\0{9999}…$/],
];

overPlaces('endings', ({ name, create, again, warnings, place }) => {
  it('follow from whatever an objective returns', async () => {
    const study = await create();
    await study.optimize(({ number }) => any(RETURNED[number]![0]), { trials: RETURNED.length });
    assert.deepEqual(
      await reasons(await again()),
      RETURNED.map(([value, reason]) =>
        reason === null ? ['COMPLETE', [value].flat(), undefined] : ['FAIL', null, reason],
      ),
    );
    assert.equal(warnings.length, RETURNED.filter(([, reason]) => reason).length);
  });

  it('follow from whatever an objective throws or rejects with', async () => {
    const study = await create();
    const thrown: unknown[] = [];
    for (const [what] of THROWN)
      await study.optimize(
        ({ number }) => {
          if (number % 2) return Promise.reject(what);
          throw what;
        },
        { trials: 2, catches: (error) => thrown.push(error) > 0 },
      );
    assert.deepEqual(
      thrown,
      THROWN.flatMap(([what]) => [what, what]),
    );
    const kept = await reasons(await again());
    for (const [i, [state, , reason]] of kept.entries()) {
      assert.equal(state, 'FAIL');
      assert.match(String(reason), THROWN[i >> 1]![1]);
    }
    await assert.rejects(
      study.optimize(() => Promise.reject(undefined)),
      (error) => error === undefined,
    );
    assert.equal((await study.trials(['RUNNING'])).length, 0);
  });

  it('are COMPLETE, PRUNED or FAIL, whatever is told', async () => {
    const study = await create();
    const trial = await study.ask();
    for (const state of ['RUNNING', 'WAITING', 'Done', 'complete', '', 1, {}] as Outcome['state'][])
      for (const values of [1, null])
        await assert.rejects(study.tell(trial, values, { state }), {
          name: 'UserError',
          message: /^trial 0: expected the state COMPLETE, PRUNED or FAIL, got/,
        });
    for (const values of ['1', [1, 2], Number.NaN, [[1]], null, undefined])
      await assert.rejects(
        study.tell(trial, any(values), { state: 'COMPLETE' }),
        /expected values that COMPLETE/,
      );
    for (const state of ['PRUNED', 'FAIL'] as const)
      await assert.rejects(study.tell(trial, 1, { state }), /expected no values with (PRUNED|FAIL), got 1/);
    for (const which of [null, undefined, 'x', 0.5, {}, await (await create()).ask()])
      await assert.rejects(
        study.tell(which as unknown as number, 1),
        /^UserError: tell: expected a trial of study/,
      );
    assert.equal((await study.trials())[0]!.state, 'RUNNING');
    assert.equal((await study.tell(trial, 1, { state: undefined! })).state, 'COMPLETE');
  });

  it('of a pruned trial have its last report, unless that is NaN', async () => {
    const study = await create();
    for (const reports of [[], [3], [3, 1], [3, Number.NaN]])
      await study.optimize(
        async (trial) => {
          for (const [step, value] of reports.entries()) await trial.report(value, step);
          throw new TrialPruned();
        },
        { trials: 1 },
      );
    assert.deepEqual(
      (await (await again()).trials()).map(({ state, values }) => [state, values]),
      [null, [3], [1], null].map((values) => ['PRUNED', values]),
    );
  });

  it('are told once: a second tell of whoever throws, and changes nothing', async () => {
    const study = await create();
    const trial = await study.ask();
    const told = await Promise.allSettled([1, 2, 3].map((value) => study.tell(trial, value)));
    assert.deepEqual(
      told.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    );
    for (const result of told.slice(1))
      assert((result as PromiseRejectedResult).reason instanceof TrialEndedError);
    assert.deepEqual((await (await again()).trials())[0]!.values, [1]);
  });

  it('are FAIL without what the database refuses', async function () {
    const forbid = FORBID[name];
    if (!forbid) return;
    const study = await create();
    const [first, second] = [await study.ask(), await study.ask()];
    await place().run(forbid);
    first.setUserAttr('good', 1);
    first.setUserAttr('poison', 1);
    const told = await study.tell(first, 1);
    assert.deepEqual([told.state, told.values, told.userAttrs], ['FAIL', null, {}]);
    assert.match(
      String(told.systemAttrs['fail_reason']),
      /^what it ended with could not be stored: .*poison/is,
    );
    assert.match(warnings.join(), /trial 0 is FAIL: what it ended with could not be stored/);
    // One that was written behind, too.
    second.setUserAttr('poison', 1);
    await assert.rejects(second.flush(), /poison/i);
    second.setUserAttr('poison', 2);
    await new Promise((done) => setTimeout(done, 50));
    assert.equal((await study.tell(second, 1)).state, 'FAIL');
    await study.optimize((trial: Trial) => trial.suggestFloat('x', 0, 2), { trials: 1 });
    assert.deepEqual(
      (await (await again()).trials()).map(({ state }) => state),
      ['FAIL', 'FAIL', 'COMPLETE'],
    );
  });
});

/** Makes a database refuse the key 'poison'. */
const FORBID: Readonly<Record<string, string>> = {
  sqlite: `create trigger no_poison before insert on trial_user_attributes when new.key = 'poison'
    begin select raise(abort, 'poison is refused'); end`,
  postgresql: `alter table trial_user_attributes add constraint no_poison check (key <> 'poison')`,
  mysql: "alter table trial_user_attributes add constraint no_poison check (`key` <> 'poison')",
};
