import assert from 'node:assert/strict';
import { MOST_POINTS, Series } from '../../src/dashboard/series.js';

describe('Series', () => {
  it('tells what came since a version, and all of it once points were merged', () => {
    const series = new Series();
    for (let step = 1; step <= MOST_POINTS; step++) series.add(step, step, step);
    assert.equal(series.since(MOST_POINTS), undefined);
    assert.deepEqual(series.since(MOST_POINTS - 1), {
      from: MOST_POINTS - 1,
      steps: [MOST_POINTS],
      values: [MOST_POINTS],
    });
    series.add(MOST_POINTS + 1, 0, MOST_POINTS + 1);
    const { from, steps, values } = series.since(MOST_POINTS)!;
    assert.equal(from, 0);
    // Step 1 alone, then pairs: (2, 3), (4, 5), …
    assert.deepEqual(steps.slice(0, 3), [1, 3, 5]);
    assert.deepEqual(values.slice(0, 3), [1, 2.5, 4.5]);
  });

  it('has a gap where a value is no number, unless its point has others', () => {
    const series = new Series();
    series.add(1, Number.NaN, 1);
    series.add(1, 2, 1);
    series.add(2, Number.POSITIVE_INFINITY, 1);
    assert.deepEqual(series.since(0), { from: 0, steps: [1, 2], values: [2, null] });
  });
});
