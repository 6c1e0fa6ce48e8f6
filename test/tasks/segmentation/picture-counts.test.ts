import assert from 'node:assert/strict';
import fc from 'fast-check';
import { boundaryOf } from '../../../src/tasks/segmentation/metrics/contours.js';
import {
  pictureCounts,
  pictureScores,
  sumOfCounts,
} from '../../../src/tasks/segmentation/metrics/picture-counts.js';

/** Probabilities of 1 for the class of each pixel. */
function certain(ids: readonly number[], classes: number): Float32Array {
  return Float32Array.from(ids.flatMap((id) => Array.from({ length: classes }, (_, k) => Number(k === id))));
}

/** A square of class 1 from `left` in a picture of 8 × 8. */
const square = (left: number) =>
  Array.from({ length: 64 }, (_, i) => {
    const [x, y] = [i % 8, Math.floor(i / 8)];
    return Number(x >= left && x < left + 4 && y >= 2 && y < 6);
  });

describe('pictureCounts', () => {
  it('has the boundary IoU and the surface Dice of a square that is a pixel too far right', () => {
    const size = { width: 8, height: 8 };
    const score = (tolerance: number) => {
      const counts = pictureCounts(
        { ...size, probabilities: certain(square(3), 2) },
        Uint8Array.from(square(2)),
        { classes: 2, tolerance },
      )!;
      return pictureScores(counts, 2);
    };
    // 16 pixels each, 12 in common. Of 8 × 8 pixels the boundary is 1 wide (2 % of 11.3 rounds to 0): rings of 12 pixels,
    // which have the top and the bottom rows but for one pixel in common, 3 + 3.
    const { iou, boundaryIou, surfaceDice } = score(0);
    assert.deepEqual(iou, [44 / 52, 12 / 20]);
    assert.equal(boundaryIou[1], 6 / 18);
    assert.equal(surfaceDice[1], 12 / 24);
    assert.equal(score(1).surfaceDice[1], 1);
  });

  it('has an expected calibration error of hand', () => {
    // Two pixels at .9 (one right), in the bin (13/15, 14/15], and two at .6 (both right), in (8/15, 9/15].
    const probabilities = Float32Array.of(0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.6, 0.4);
    const counts = pictureCounts({ width: 4, height: 1, probabilities }, Uint8Array.of(0, 1, 0, 0), {
      classes: 2,
    })!;
    assert.ok(Math.abs(pictureScores(counts, 2).ece - (0.5 * 0.4 + 0.5 * 0.4)) < 1e-6);
    assert.equal(pictureScores(counts, 2).accuracy, 0.75);
  });

  it('adds up: the mIoU of a data set is that of all its pixels', () => {
    const picture = (ids: number[], target: number[]) =>
      pictureCounts(
        { width: ids.length, height: 1, probabilities: certain(ids, 2) },
        Uint8Array.from(target),
        {
          classes: 2,
        },
      )!;
    const sums = sumOfCounts([picture([0, 0, 1], [0, 1, 1]), picture([1], [0])]);
    // Class 0: 1 of 3 pixels, class 1: 1 of 3.
    assert.deepEqual(pictureScores(sums, 2).iou, [1 / 3, 1 / 3]);
  });

  it('counts nothing of a mask that ignores every pixel, and says null of classes that do not occur', () => {
    const probabilities = certain([0, 0], 3);
    assert.equal(
      pictureCounts({ width: 2, height: 1, probabilities }, Uint8Array.of(255, 255), { classes: 3 }),
      undefined,
    );
    const scores = pictureScores(
      pictureCounts({ width: 2, height: 1, probabilities }, Uint8Array.of(0, 255), { classes: 3 })!,
      3,
    );
    assert.deepEqual(
      [scores.iou, scores.boundaryIou],
      [
        [1, null, null],
        [1, null, null],
      ],
    );
    assert.deepEqual(scores.surfaceDice, [null, null, null]);
  });

  it('is the same whatever is predicted where the mask ignores', () => {
    const side = 7;
    const ids = (most: number) =>
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 49, maxLength: 49 });
    fc.assert(
      fc.property(ids(2), ids(2), ids(3), (one, other, drawn) => {
        const target = Uint8Array.from(drawn, (k) => (k === 3 ? 255 : k));
        const mixed = one.map((k, i) => (target[i] === 255 ? other[i]! : k));
        const counts = (prediction: readonly number[]) =>
          pictureCounts({ width: side, height: side, probabilities: certain(prediction, 3) }, target, {
            classes: 3,
          });
        assert.deepEqual(counts(mixed), counts(one));
      }),
    );
  });

  it('has the boundary that squares around all other pixels and beyond the frame leave', () => {
    const pixels = fc.array(fc.constantFrom(0, 1, 1, 1, 255), { minLength: 63, maxLength: 63 });
    fc.assert(
      fc.property(pixels, fc.integer({ min: 1, max: 4 }), (drawn, distance) => {
        const [width, height] = [9, 7];
        const expected = drawn.map((value, i) => {
          const [x, y] = [i % width, Math.floor(i / width)];
          let isNear = false;
          for (let v = y - distance; v <= y + distance; v++)
            for (let u = x - distance; u <= x + distance; u++)
              if (u < 0 || v < 0 || u >= width || v >= height || drawn[v * width + u] === 0) isNear = true;
          return Number(value === 1 && isNear);
        });
        assert.deepEqual([...boundaryOf(Uint8Array.from(drawn), { width, height }, distance)], expected);
      }),
    );
  });
});
