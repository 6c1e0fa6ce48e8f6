import type { Tensor4D } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { tensor4d } from '../../base/tfjs-core.js';
import { memoryHint } from '../../engine/out-of-memory.js';
import { takeMemory } from '../pixels/batch-memory.js';
import { channelsOf } from '../pixels/values.js';
import type { Item, Sample } from '../types.js';

/**
 * The images of samples as one tensor: float32 [batch, height, width, channels].
 *
 * @throws UserError for samples of several sizes, and for those that are not normalised.
 */
export function imageTensor(samples: readonly Sample<Item, Float32Array>[]): Tensor4D {
  const { width, height } = samples[0]!;
  const channels = Math.max(1, channelsOf(samples[0]!));
  const values = imageMemory([samples.length, height, width, channels]);
  samples.forEach(({ width: w, height: h, image }, i) => {
    if (w !== width || h !== height)
      throw new UserError(
        `batch: expected samples of one size, got ${width}×${height} and ${w}×${h}; decode them to one`,
      );
    if (image.length !== width * height * channels)
      throw new UserError(
        `batch: expected samples of ${channels} channels, got ${channels} and ${image.length / (width * height)}`,
      );
    if (!(image instanceof Float32Array))
      throw new UserError('batch: expected normalised images, got bytes; put normalize(…) before it');
    values.set(image, i * width * height * channels);
  });
  return tensorOf(samples, values);
}

/** The images of samples of one size, from their floats. */
export function tensorOf(samples: readonly Sample<Item, Float32Array>[], values: Float32Array): Tensor4D {
  const { width, height } = samples[0]!;
  return tensor4d(values, [samples.length, height, width, values.length / (samples.length * height * width)]);
}

/** Memory for images: [count, height, width, channels]. @throws UserError where there is none left. */
export function imageMemory(shape: readonly [number, number, number, number]): Float32Array {
  try {
    return takeMemory(Float32Array, shape[0] * shape[1] * shape[2] * shape[3]);
  } catch (error) {
    throw memoryHint(error, shape);
  }
}
