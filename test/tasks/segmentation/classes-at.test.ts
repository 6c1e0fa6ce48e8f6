import assert from 'node:assert/strict';
import { argMax, image, tensor4d, tidy } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { classesAt } from '../../../src/tasks/segmentation/classes-at.js';

describe('classesAt', () => {
  it('takes the most likely class of logits that are interpolated with half-pixel centres', () => {
    const side = fc.integer({ min: 1, max: 7 });
    const shapes = fc.record({ rows: side, columns: side, classes: fc.integer({ min: 1, max: 4 }) });
    const sizes = fc.record({
      width: fc.integer({ min: 1, max: 19 }),
      height: fc.integer({ min: 1, max: 19 }),
    });
    fc.assert(
      fc.property(
        shapes,
        sizes,
        fc.infiniteStream(fc.integer({ min: -1000, max: 1000 })),
        (shape, size, numbers) => {
          const { rows, columns, classes } = shape;
          const logits = Float32Array.from({ length: rows * columns * classes }, () => numbers.next().value);
          const expected = tidy(() => {
            const large = image.resizeBilinear(
              tensor4d(logits, [1, rows, columns, classes]),
              [size.height, size.width],
              false,
              true,
            );
            return [large.arraySync()[0]!.flat(), argMax(large, -1).dataSync()] as const;
          });
          const classesOf = classesAt(logits, shape, size);
          classesOf.forEach((k, pixel) => {
            const values = expected[0][pixel]!;
            // Rounding may decide a tie otherwise.
            assert.ok(Math.max(...values) - values[k]! < 1e-3, `${k} of ${values}`);
          });
        },
      ),
    );
  });

  it('is the plain argmax, the first of the largest, at the size of the logits', () => {
    const logits = Float32Array.of(1, 1, 0, 0, 2, 1, -1, -3, -2, 5, 5, 6);
    assert.deepEqual(
      [...classesAt(logits, { rows: 2, columns: 2, classes: 3 }, { width: 2, height: 2 })],
      [0, 1, 0, 2],
    );
  });
});
