import assert from 'node:assert/strict';
import fc from 'fast-check';
import { distributionFromJson, distributionToJson } from '../../../src/study/storage/distribution-json.js';
import {
  contains,
  isSingle,
  rangeText,
  toExternal,
  toInternal,
} from '../../../src/study/trials/distribution.js';
import {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
} from '../../../src/study/trials/make-distribution.js';
import { parsePythonJson, toPythonJson } from '../../../src/study/trials/python-json.js';
import { checkCompatible } from '../../../src/study/trials/same-distribution.js';

describe('distributions', () => {
  it('trim the upper bound to the grid, in decimals', () => {
    assert.equal(floatDistribution(0, 1, { step: 0.3 }).high, 0.9);
    assert.equal(floatDistribution(0.1, 0.35, { step: 0.1 }).high, 0.3);
    assert.equal(floatDistribution(0, 1, { step: 0.1 }).high, 1);
    assert.equal(intDistribution(1, 10, { step: 4 }).high, 9);
  });

  it('contain every point of their grid, and nothing beside it', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: -99, max: 99 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 9 }),
        (low, count, step) => {
          const distribution = floatDistribution(low / 10, low / 10 + (count * step) / 10, {
            step: step / 10,
          });
          for (let k = 0; k <= count; k++)
            assert(contains(distribution, distribution.low + (k * step) / 10 - (k === count ? 1e-12 : 0)));
          assert(!contains(distribution, distribution.low + step / 20));
          assert(!contains(distribution, distribution.high + step / 10));
        },
      ),
    ));

  it('turn values to numbers and back', () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
          minLength: 1,
        }),
        (choices) => {
          const distribution = categoricalDistribution(choices);
          for (const choice of choices)
            assert.equal(toExternal(distribution, toInternal(distribution, choice)), choice);
        },
      ),
    ));

  it('let ranges and steps move within a study', () => {
    checkCompatible('p', floatDistribution(0, 1), floatDistribution(-5, 5, { step: 0.5 }));
    checkCompatible('p', intDistribution(1, 9, { step: 2 }), intDistribution(0, 100));
  });

  it('contain what Optuna says', () => {
    // optuna 4.9.0: each distribution's _contains
    for (const [distribution, inside, outside] of [
      [floatDistribution(1, 10, { step: 2 }), [1, 3, 9], [3.5, 9.5, 10, 0.9]],
      [floatDistribution(-10.2, 10.2, { step: 0.1 }), [-10.2, -10.1, 0, 10.2], [-10.15, 10.3]],
      [intDistribution(1, 10), [1, 10], [0, 2.5, 11]],
      [intDistribution(1, 10, { log: true }), [1, 10], [0, 11]],
      [floatDistribution(1, 1), [1], [0.9, 1.1, Number.NaN]],
      [categoricalDistribution(['a', 'b']), [0, 1], [-1, 2]],
    ] as const) {
      for (const x of inside) assert.ok(contains(distribution, x), `${rangeText(distribution)}: ${x}`);
      for (const x of outside) assert.ok(!contains(distribution, x), `${rangeText(distribution)}: ${x}`);
    }
  });

  it('come down to one value where the step is wider than the range', () => {
    // optuna 4.9.0: FloatDistribution(0, 1, step=2).high == 0.0
    assert.equal(floatDistribution(0, 1, { step: 2 }).high, 0);
    assert.equal(intDistribution(1, 2, { step: 4 }).high, 1);
  });

  it('read as a range in messages', () => {
    for (const [distribution, text] of [
      [floatDistribution(0, 1), '[0, 1]'],
      [floatDistribution(1e-5, 0.1, { log: true }), '[0.00001, 0.1], log'],
      [floatDistribution(0, 1, { step: 0.25 }), '[0, 1], step 0.25'],
      [intDistribution(8, 64), '[8, 64]'],
      [intDistribution(8, 64, { step: 8 }), '[8, 64], step 8'],
      [categoricalDistribution(['a', 1, null]), '["a",1,null]'],
    ] as const)
      assert.equal(rangeText(distribution), text);
  });

  it('know when there is nothing to choose', () => {
    assert(
      isSingle(floatDistribution(1, 1)) &&
        isSingle(intDistribution(1, 2, { step: 3 })) &&
        isSingle(categoricalDistribution(['a'])),
    );
    assert(!isSingle(floatDistribution(1, 2)) && !isSingle(intDistribution(1, 2)));
  });

  for (const [what, make, message] of [
    ['bounds that cross', () => floatDistribution(2, 1), /low <= high, got low 2, high 1/],
    ['a bound that is not finite', () => floatDistribution(0, Infinity), /finite low <= high/],
    [
      'a range that is wider than any double',
      () => floatDistribution(-1e308, 1e308),
      /no wider than 1.8e308/,
    ],
    ['a bound that is NaN', () => floatDistribution(Number.NaN, 1), /finite low <= high, got low NaN/],
    ['an int beyond exact integers', () => intDistribution(0, 2 ** 53), /high: expected an integer/],
    [
      'an int with log and steps',
      () => intDistribution(1, 9, { log: true, step: 2 }),
      /log and step exclude/,
    ],
    [
      'a log int from nothing',
      () => intDistribution(0, 5, { log: true }),
      /log needs low of 1 or more for an int, got 0/,
    ],
    [
      'other choices, or another order of them',
      () => checkCompatible('p', categoricalDistribution(['a', 'b']), categoricalDistribution(['b', 'a'])),
      /parameter "p": this study knows it as/,
    ],
    [
      'a logarithm where there was none',
      () => checkCompatible('p', floatDistribution(1, 2), floatDistribution(1, 2, { log: true })),
      /keep its type, log and choices/,
    ],
    ['log of nothing', () => floatDistribution(0, 1, { log: true }), /log needs low > 0, got low 0/],
    [
      'log with steps',
      () => floatDistribution(1, 2, { log: true, step: 0.5 }),
      /log and step exclude each other/,
    ],
    ['a step backwards', () => floatDistribution(1, 2, { step: -1 }), /expected step > 0, got -1/],
    ['an int that is none', () => intDistribution(0.5, 2), /low: expected an integer, got 0.5/],
    ['no choice', () => categoricalDistribution([]), /expected at least one, got none/],
    ['an object', () => categoricalDistribution([{} as never]), /got a object; name it/],
    [
      'a value that is no choice',
      () => toInternal(categoricalDistribution(['a']), 'b'),
      /expected one of \["a"\], got "b"/,
    ],
    [
      'a value that is no number',
      () => toInternal(floatDistribution(0, 1), 'x'),
      /expected a number, got "x"/,
    ],
    [
      'another class',
      () => checkCompatible('p', floatDistribution(0, 1), intDistribution(0, 1)),
      /parameter "p": this study knows it as/,
    ],
  ] as const)
    it(`refuse ${what}`, () => assert.throws(make, { name: 'UserError', message }));

  it('are read from what Optuna wrote before 3.0, too', () => {
    const read = (name: string, attributes: object) =>
      distributionFromJson(JSON.stringify({ name, attributes }));
    assert.deepEqual(read('UniformDistribution', { low: 0, high: 1 }), floatDistribution(0, 1));
    assert.deepEqual(
      read('LogUniformDistribution', { low: 1, high: 2 }),
      floatDistribution(1, 2, { log: true }),
    );
    assert.deepEqual(
      read('DiscreteUniformDistribution', { low: 0, high: 1, q: 0.5 }),
      floatDistribution(0, 1, { step: 0.5 }),
    );
    assert.deepEqual(
      read('IntUniformDistribution', { low: 0, high: 4, step: 2 }),
      intDistribution(0, 4, { step: 2 }),
    );
    assert.deepEqual(
      read('IntLogUniformDistribution', { low: 1, high: 4, step: 1 }),
      intDistribution(1, 4, { log: true }),
    );
    assert.throws(
      () => read('Gaussian', {}),
      /distribution "Gaussian": expected a float, int or categorical one/,
    );
  });

  it('keep the text that they were read from: Python tells 1.0 from 1', () => {
    const text = '{"name": "CategoricalDistribution", "attributes": {"choices": [1.0, 2.0]}}';
    assert.equal(distributionToJson(distributionFromJson(text)), text);
  });
});

describe("Python's JSON", () => {
  it('comes back as it was, NaN and infinities included', () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(Number.NaN, Infinity, -Infinity), (value, odd) => {
        const whole = { value: value as never, odd, text: `${odd} "NaN" \\` };
        assert.deepEqual(
          parsePythonJson(toPythonJson(whole)),
          JSON.parse(JSON.stringify(whole), (key, each: unknown) =>
            key === 'odd' && each === null ? odd : each,
          ),
        );
      }),
    ));
});
