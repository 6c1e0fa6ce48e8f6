import { concatMap, type OperatorFunction, of } from 'rxjs';
import { augmentSample, type MaybeMasked } from '../src/data/images/augmentations/augment-sample.js';
import type { Transform } from '../src/data/images/augmentations/augmentation.js';

/**
 * Changes each sample at random, the image together with its mask; see `augmentSample`. Stands before `normalize`.
 *
 * @example
 * from(plan.samples).pipe(decode(224), augment(horizontalFlip(), rotate(), colorJitter()), normalize(IMAGENET));
 */
export function augment<S extends MaybeMasked>(...transforms: readonly Transform[]): OperatorFunction<S, S> {
  return concatMap((sample) => (transforms.length === 0 ? of(sample) : augmentSample(sample, transforms)));
}
