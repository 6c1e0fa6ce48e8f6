import { type Tensor1D, tensor1d } from '@tensorflow/tfjs-core';
import type { Sample } from '../../data/types.js';
import type { LabelledImage } from './labelled-image.js';

/**
 * The labels of samples as one tensor: int32 [batch].
 *
 * @example
 * const images = await lastValueFrom(imageFolders('data/breeds'));
 * const labelled = batchPlans(images, { batchSize: 8, seed: 42 });
 * prefetch(labelled, (one) => from(one.samples).pipe(decode(224), normalize(IMAGENET), batch(one, labelTensor)), { ahead: 1 });
 */
export function labelTensor(samples: readonly Sample<LabelledImage, Float32Array>[]): Tensor1D {
  return tensor1d(
    samples.map(({ plan }) => plan.item.label),
    'int32',
  );
}
