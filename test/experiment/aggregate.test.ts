import assert from 'node:assert/strict';
import { meanOfRuns } from '../../src/experiment/aggregate.js';
import { aggregateScores, type ScoreRow } from '../../src/experiment/score-files.js';

describe('means over runs', () => {
  it('refuse values that are not finite, such as the scores of a diverged run', () => {
    for (const odd of [null, Number.NaN, Number.POSITIVE_INFINITY, undefined])
      assert.throws(() => meanOfRuns([0.7, odd as number, 0.7]), {
        name: 'UserError',
        message: `expected finite scores of every run, got ${odd} of run 2 of 3; leave out runs that diverged`,
      });
    assert.equal(meanOfRuns([0.5, 0.75]), 0.625);
  });

  it('leave out a run whose scores are not numbers', () => {
    const row = (run: string, softDice: number) =>
      ({
        run,
        seed: 1,
        classNames: ['a'],
        test: { softDice, softIou: 0.5, dice: [0.5], iou: [0.5], miou: 0.5, accuracy: 0.5 },
      }) as unknown as ScoreRow;
    const [whole, ...others] = aggregateScores([row('a', 0.5), row('b', Number.NaN), row('c', 0.75)]);
    assert.deepEqual([whole!.runs, whole!.mean.softDice, others], [['a', 'c'], 0.625, []]);
    assert.deepEqual(aggregateScores([row('b', Number.NaN)]), []);
  });
});
