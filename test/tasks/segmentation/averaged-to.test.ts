import assert from 'node:assert/strict';
import { averagedTo } from '../../../src/tasks/segmentation/averaged-to.js';

describe('averagedTo', () => {
  const picture = (width: number, height: number) => {
    const probabilities = Float32Array.from({ length: 2 * width * height }, (_, i) => {
      const p = ((i >> 1) * 0.37) % 1;
      return i % 2 === 0 ? p : 1 - p;
    });
    return { width, height, probabilities };
  };
  const close = (got: ArrayLike<number>, expected: readonly number[]) => {
    assert.equal(got.length, expected.length);
    expected.forEach((value, i) =>
      assert.ok(Math.abs(got[i]! - value) < 1e-6, `${i}: ${got[i]}, not ${value}`),
    );
  };

  it('is the picture itself at its own size, and repeats pixels at a multiple of it', () => {
    const own = picture(5, 3);
    close(averagedTo(own, { width: 5, height: 3 }).probabilities, [...own.probabilities]);
    const { width, height, probabilities } = averagedTo(own, { width: 10, height: 6 });
    assert.deepEqual([width, height], [10, 6]);
    const repeated = Array.from({ length: 10 * 6 * 2 }, (_, i) => {
      const [x, y] = [Math.floor(i / 2) % 10, Math.floor(i / 20)];
      return own.probabilities[((y >> 1) * 5 + (x >> 1)) * 2 + (i % 2)]!;
    });
    close(probabilities, repeated);
  });

  it('weighs each pixel by the share of it that is covered', () => {
    const probabilities = Float32Array.of(1, 0, 0.5, 0.5, 0, 1);
    // Of 3 pixels each of 2 covers one and a half: (1 + .5 · .5) / 1.5 and (.5 · .5 + 0) / 1.5 of the first class.
    const row = averagedTo({ width: 3, height: 1, probabilities }, { width: 2, height: 1 });
    close(row.probabilities, [5 / 6, 1 / 6, 1 / 6, 5 / 6]);
    const column = averagedTo({ width: 1, height: 3, probabilities }, { width: 1, height: 2 });
    close(column.probabilities, [5 / 6, 1 / 6, 1 / 6, 5 / 6]);
  });

  it('keeps the mean of a picture, and the sum of each pixel 1', () => {
    const own = picture(37, 23);
    const { probabilities } = averagedTo(own, { width: 14, height: 31 });
    const mean = (values: Float32Array) =>
      values.reduce((sum, value, i) => (i % 2 === 0 ? sum + value : sum), 0) / (values.length / 2);
    assert.ok(Math.abs(mean(probabilities) - mean(own.probabilities)) < 1e-6);
    for (let i = 0; i < probabilities.length; i += 2)
      assert.ok(Math.abs(probabilities[i]! + probabilities[i + 1]! - 1) < 1e-6);
  });
});
