import assert from 'node:assert/strict';
import type { TrialTemplate } from '../../src/study/storage/storage.js';
import type { Trial } from '../../src/study/trial.js';
import type { Distribution, ParamValue } from '../../src/study/trials/distribution.js';
import type { FrozenTrial, Json } from '../../src/study/trials/frozen-trial.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../src/study/trials/make-distribution.js';
import { overPlaces } from '../study/over-places.js';

type Suggest = (trial: Trial, name: string) => ParamValue;
const float: Suggest = (trial, name) => trial.suggestFloat(name, 0, 4);
const int: Suggest = (trial, name) => trial.suggestInt(name, 0, 4);
const log: Suggest = (trial, name) => trial.suggestFloat(name, 1e-3, 1, { log: true });
const logInt: Suggest = (trial, name) => trial.suggestInt(name, 1, 8, { log: true });
const choice: Suggest = (trial, name) => trial.suggestCategorical(name, ['a', 'b', true, 1, null]);

/** What Optuna 4.9 makes of an enqueued value: an error, or the value, with a warning where it is out of range. */
const ENQUEUED: readonly (readonly [ParamValue, Suggest, RegExp | ParamValue, 'warned'?])[] = [
  ['', float, /^UserError: parameter "x0": expected a number, got ""/],
  ['', int, /expected a number, got ""/],
  // Optuna casts this one, and true to 1.
  ['0.5', float, /expected a number, got "0.5"/],
  [true, float, /expected a number, got true/],
  [null, float, /expected a number, got null/],
  [Number.NaN, float, /expected a number, got NaN/],
  // Optuna takes it, and MariaDB refuses it.
  [Infinity, float, /expected a finite number, got Infinity/],
  [0, log, /expected a number above 0, since its range is logarithmic, got 0/],
  [-1, log, /expected a number above 0/],
  [0, logInt, /expected a number above 0/],
  ['z', choice, /expected one of .*, got "z"/],
  ['1', choice, /expected one of .*, got "1"/],
  [2.5, float, 2.5],
  [4, int, 4],
  [2.5, int, 2, 'warned'],
  [9, float, 9, 'warned'],
  [9, int, 9, 'warned'],
  [1e-9, log, 1e-9, 'warned'],
  [null, choice, null],
  [true, choice, true],
  [1, choice, 1],
];

overPlaces('the queue', ({ create, again, warnings }) => {
  it('uses a value unchanged, or the trial fails', async () => {
    const study = await create();
    for (const [i, [value, suggest, expected, warned]] of ENQUEUED.entries()) {
      const name = `x${i}`;
      await study.enqueueTrial({ [name]: value });
      const trial = await study.ask();
      if (expected instanceof RegExp) {
        assert.throws(() => suggest(trial, name), expected);
        await study.tell(trial, null, { state: 'FAIL' });
        assert.deepEqual(trial.params, {});
        continue;
      }
      const before = warnings.length;
      assert.equal(suggest(trial, name), expected);
      assert.equal(
        warnings.slice(before).join(),
        warned ? `fixed-param: trial ${i}: "${name}" is fixed at ${value}, outside its range` : '',
      );
      await study.tell(trial, 1);
      const [seen] = (await (await again()).trials()).slice(-1);
      assert.deepEqual(seen!.params, { [name]: expected });
    }
  });

  it('refuses parameters that are not values, by name', async () => {
    const study = await create();
    for (const params of [null, undefined, [1], 'x', 3, new Map()] as unknown as Record<string, ParamValue>[])
      await assert.rejects(study.enqueueTrial(params), {
        name: 'UserError',
        message: /^params: expected an object of values by name/,
      });
    for (const value of [[1], {}, undefined, () => 1, 1n, Symbol('x')] as unknown as ParamValue[])
      for (const options of [{}, { ifEmpty: true }, { skipIfExists: true }])
        await assert.rejects(study.enqueueTrial({ x: value }, options), {
          name: 'UserError',
          message: /^parameter "x": expected a string, number, boolean or null/,
        });
    assert.deepEqual(await study.trials(), []);
  });
});

const distributions: Record<string, Distribution> = { x: floatDistribution(0, 1) };
const complete: TrialTemplate = { state: 'COMPLETE', values: [1] };

/** Templates that Optuna's FrozenTrial refuses to be validated with, and more that only JavaScript makes. */
const WRONG: readonly (readonly [string, object, RegExp])[] = [
  ['no state', {}, /expected a state of RUNNING, COMPLETE/],
  ['an unknown state', { state: 'Done' }, /expected a state of .*, got "Done"/],
  ['COMPLETE without a value', { state: 'COMPLETE' }, /no value was told/],
  [
    'COMPLETE with two values for one objective',
    { state: 'COMPLETE', values: [1, 2] },
    /2 values came for 1/,
  ],
  ['COMPLETE with NaN', { state: 'COMPLETE', values: [Number.NaN] }, /a value is NaN/],
  ['COMPLETE with a string', { state: 'COMPLETE', values: ['1'] }, /"1" is not a number/],
  ['PRUNED with two values', { state: 'PRUNED', values: [1, 2] }, /2 values came for 1 objectives/],
  ['PRUNED with NaN', { state: 'PRUNED', values: [Number.NaN] }, /a value is NaN/],
  ['FAIL with a value', { state: 'FAIL', values: [1] }, /expected no values with FAIL/],
  ['RUNNING with a value', { state: 'RUNNING', values: [1] }, /expected no values with RUNNING/],
  ['a negative step', { ...complete, intermediateValues: new Map([[-1, 1]]) }, /expected a step .* got -1/],
  [
    'a fractional step',
    { ...complete, intermediateValues: new Map([[0.5, 1]]) },
    /expected a step .* got 0.5/,
  ],
  [
    'a report of a string',
    { ...complete, intermediateValues: new Map([[0, 'a']]) },
    /expected a value that is a number/,
  ],
  [
    'reports in an object',
    { ...complete, intermediateValues: { 0: 1 } },
    /expected intermediateValues in a Map/,
  ],
  [
    'a parameter without distribution',
    { ...complete, params: { x: 0.5 } },
    /parameter "x" has no distribution/,
  ],
  ['a distribution without parameter', { ...complete, distributions }, /parameter "x" has no value/],
  [
    'a parameter out of range',
    { ...complete, params: { x: 2 }, distributions },
    /expected "x" within .* got 2/,
  ],
  [
    'a parameter that is a string',
    { ...complete, params: { x: '0.5' }, distributions },
    /expected a number, got "0.5"/,
  ],
  [
    'a parameter off the grid',
    { ...complete, params: { n: 2.5 }, distributions: { n: intDistribution(0, 4) } },
    /within/,
  ],
  [
    'an unknown choice',
    { ...complete, params: { c: 'z' }, distributions: { c: categoricalDistribution(['a']) } },
    /expected one of/,
  ],
  [
    'a distribution by hand that is none',
    { ...complete, params: { x: 1 }, distributions: { x: {} } },
    /^UserError: distribution: expected one from/,
  ],
  [
    'a distribution by hand of strings',
    {
      ...complete,
      params: { x: 1 },
      distributions: { x: { name: 'FloatDistribution', low: '0', high: '2' } },
    },
    /expected finite low <= high/,
  ],
  [
    'the end of a trial that waits',
    { state: 'WAITING', datetimeComplete: 5 },
    /expected no datetimeComplete/,
  ],
  [
    'a time that is none',
    { ...complete, datetimeStart: Number.NaN },
    /expected datetimeStart in milliseconds/,
  ],
  [
    'a time that is a Date',
    { ...complete, datetimeStart: new Date() },
    /expected datetimeStart in milliseconds/,
  ],
  [
    'a time after the year 9999',
    { ...complete, datetimeComplete: 1e15 },
    /expected datetimeComplete in milliseconds/,
  ],
  [
    'attributes in a Map',
    { ...complete, userAttrs: new Map([['a', 1]]) },
    /^UserError: user attributes: expected an object/,
  ],
  ['no template', null as unknown as object, /expected a state of/],
];

overPlaces('trials from elsewhere', ({ create, again }) => {
  it('are refused where they contradict themselves, and nothing is stored', async () => {
    const study = await create();
    for (const [what, template, message] of WRONG)
      await assert.rejects(study.addTrial(template as TrialTemplate), message, what);
    assert.deepEqual(await (await again()).trials(), []);
  });

  it('are kept as they were when they were added', async () => {
    const study = await create({ directions: ['minimize', 'maximize'] });
    const values = [1, -Infinity];
    const list: Json[] = [1];
    const template: TrialTemplate = {
      state: 'COMPLETE',
      values,
      params: { x: 0.5 },
      distributions,
      intermediateValues: new Map([[0, Number.NaN]]),
      userAttrs: { list },
    };
    await study.addTrial(template);
    values.push(3);
    list.push(2);
    (template.intermediateValues as Map<number, number>).set(1, 1);
    for (const state of ['RUNNING', 'WAITING', 'FAIL', 'PRUNED'] as const) await study.addTrial({ state });
    for (const each of [study, await again()]) {
      const trials: readonly FrozenTrial[] = await each.trials();
      assert.deepEqual(
        trials.map(({ state }) => state),
        ['COMPLETE', 'RUNNING', 'WAITING', 'FAIL', 'PRUNED'],
      );
      const [first] = trials;
      assert.deepEqual(
        [first!.values, first!.params, first!.userAttrs, [...first!.intermediateValues]],
        [[1, -Infinity], { x: 0.5 }, { list: [1] }, [[0, Number.NaN]]],
      );
    }
  });
});
