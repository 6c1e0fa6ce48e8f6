import { concatMap, type OperatorFunction, of } from 'rxjs';
import { augmentSample, type Transform } from '../src/data/images/augmentations/augmentation.js';
import type { Sample } from '../src/data/types.js';

/**
 * Changes each sample at random, image and mask together; see `augmentSample`. Stands before `normalize`.
 *
 * @example
 * from(plan.samples).pipe(decode(224), augment(horizontalFlip(), rotate(), colorJitter()), normalize(IMAGENET));
 */
export function augment(...transforms: readonly Transform[]): OperatorFunction<Sample, Sample> {
  return concatMap((sample) => (transforms.length === 0 ? of(sample) : augmentSample(sample, transforms)));
}
