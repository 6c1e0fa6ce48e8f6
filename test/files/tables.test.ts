import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deviationOfRuns, groupBy, meanOfRuns, scoreStatistics } from '../../src/experiment/aggregate.js';
import { scoreCells } from '../../src/experiment/score-files.js';
import { csvText, markdownText, plainText, type Row } from '../../src/files/tables.js';
import type { SegmentationTestScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';

const scores = (value: number, border: number | null): SegmentationTestScores => ({
  softDice: value,
  softIou: value / 2,
  dice: [value, border],
  iou: [value / 2, border],
  miou: value / 2,
  accuracy: 1,
});

describe('scoreStatistics', () => {
  it('gives mean and population deviation; absent classes are left out', () => {
    const { mean, std } = scoreStatistics([scores(0.2, null), scores(0.4, 0.5), scores(0.6, null)]);
    assert(Math.abs(mean.softDice - 0.4) < 1e-12);
    // √((.04 + 0 + .04)/3)
    assert(Math.abs(std.softDice - Math.sqrt(0.08 / 3)) < 1e-12);
    assert.deepEqual([mean.dice[1], std.dice[1]], [0.5, 0]);
    assert.deepEqual(scoreStatistics([scores(0.2, null)]).mean.dice, [0.2, null]);
    assert.throws(() => meanOfRuns([]), /nothing to average/);
  });

  it('deviates as E[x²] − E[x]² says, and not at all where all runs agree', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }), (values) => {
        const square = meanOfRuns(values.map((value) => value ** 2)) - meanOfRuns(values) ** 2;
        assert(Math.abs(deviationOfRuns(values) ** 2 - square) < 1e-9);
        assert(deviationOfRuns(values.map(() => 0.25)) < 1e-12);
      }),
    );
  });
});

describe('groupBy', () => {
  it('keeps the order of first sight', () => {
    assert.deepEqual(
      groupBy([3, 1, 4, 1, 5, 9], (n) => n % 2),
      [[3, 1, 1, 5, 9], [4]],
    );
  });
});

describe('tables', () => {
  const rows: Row[] = [
    { name: 'a, "b"', count: 147456, score: 0.123456789, note: null },
    { name: 'c|d', count: 2, score: 1 },
  ];

  it('are CSV in full precision, quoted where they must be', () => {
    assert.equal(csvText(rows), 'name,count,score,note\n"a, ""b""",147456,0.123456789,\nc|d,2,1,\n');
  });

  it('are Markdown with numbers to the right', () => {
    assert.equal(
      markdownText(rows),
      [
        '| name | count | score | note |',
        '|---|---:|---:|---:|',
        '| a, "b" | 147,456 | 0.1235 | - |',
        '| c\\|d | 2 | 1 | - |',
        '',
      ].join('\n'),
    );
  });

  it('are lines of one width for a terminal', () => {
    assert.equal(
      plainText(rows),
      [
        'name      count   score  note',
        'a, "b"  147,456  0.1235     -',
        'c|d           2       1     -',
        '',
      ].join('\n'),
    );
  });

  it('name scores by class', () => {
    assert.deepEqual(scoreCells(scores(0.5, null), ['pet', 'border'], '_mean'), {
      soft_dice_mean: 0.5,
      soft_iou_mean: 0.25,
      miou_mean: 0.25,
      accuracy_mean: 1,
      dice_pet_mean: 0.5,
      dice_border_mean: null,
      iou_pet_mean: 0.25,
      iou_border_mean: null,
    });
  });
});
