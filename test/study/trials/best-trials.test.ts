import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newTrialRecord } from '../../../src/study/storage/trial-record.js';
import { bestTrial, dominates, paretoFront } from '../../../src/study/trials/best-trials.js';
import { CONSTRAINTS_KEY } from '../../../src/study/trials/constraints.js';
import type { Direction, FrozenTrial, TrialState } from '../../../src/study/trials/frozen-trial.js';

const trial = (
  number: number,
  values: readonly number[] | null,
  constraints: readonly number[] | null = null,
  state: TrialState = 'COMPLETE',
): FrozenTrial =>
  newTrialRecord(number, number, {
    state,
    values,
    ...(constraints && { systemAttrs: { [CONSTRAINTS_KEY]: constraints } }),
  });

const value = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
);
const direction = fc.constantFrom<Direction>('minimize', 'maximize');

describe('bestTrial', () => {
  it('is the earliest of the best, whatever the order in which they are given', () => {
    const all = [
      trial(2, [1]),
      trial(1, [1]),
      trial(0, [2]),
      trial(3, [0], null, 'PRUNED'),
      trial(4, null, null, 'FAIL'),
    ];
    assert.equal(bestTrial(all, ['minimize'])?.number, 1);
    assert.equal(bestTrial(all, ['maximize'])?.number, 0);
    assert.equal(bestTrial(all.slice(3), ['minimize']), undefined);
  });

  it('satisfies its constraints, each of which is satisfied at 0', () => {
    const all = [trial(0, [1], [1, -1]), trial(1, [2], [0, -1]), trial(2, [3])];
    assert.equal(bestTrial(all, ['minimize'])?.number, 1);
  });

  it('is infinite if there is nothing else', () => {
    assert.equal(bestTrial([trial(0, [Number.POSITIVE_INFINITY])], ['minimize'])?.number, 0);
  });

  it('does not exist for several objectives', () => {
    assert.throws(
      () => bestTrial([], ['minimize', 'minimize']),
      /expected one objective, got 2; use bestTrials/,
    );
  });
});

describe('paretoFront', () => {
  it('holds exactly those that no other dominates, equal ones included', () => {
    const studies = fc.array(direction, { minLength: 1, maxLength: 3 }).chain((directions) =>
      fc
        .array(fc.array(value, { minLength: directions.length, maxLength: directions.length }), {
          maxLength: 25,
        })
        .map((rows) => ({ directions, rows })),
    );
    fc.assert(
      fc.property(studies, ({ directions, rows }) => {
        const losses = (row: readonly number[]) => row.map((v, i) => (directions[i] === 'minimize' ? v : -v));
        const expected = rows.flatMap((row, i) =>
          rows.some((other) => dominates(losses(other), losses(row))) ? [] : [i],
        );
        const front = paretoFront(rows.map((row, i) => trial(i, row)).reverse(), directions);
        assert.deepEqual(
          front.map(({ number }) => number),
          expected,
        );
      }),
    );
  });

  it('leaves out those that do not satisfy constraints, or have none where others do', () => {
    const all = [trial(0, [0, 0], [1]), trial(1, [1, 2], [0]), trial(2, [2, 1], [-1]), trial(3, [0, 0])];
    const numbers = (trials: readonly FrozenTrial[]) =>
      paretoFront(trials, ['minimize', 'minimize']).map(({ number }) => number);
    assert.deepEqual(numbers(all), [1, 2]);
    assert.deepEqual(numbers([all[3]!, trial(4, [1, 1], null, 'PRUNED')]), [3]);
  });
});
