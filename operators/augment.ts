import { concatMap, type OperatorFunction, of } from 'rxjs';
import { augmentSample, type MaybeMasked } from '../src/data/images/augmentations/augment-sample.js';
import { checkChances, type Transform } from '../src/data/images/augmentations/augmentation.js';

/**
 * Changes each sample at random, the image together with its mask; see `augmentSample`. Stands before `normalize`.
 *
 * @throws UserError for a probability that is not from 0 to 1.
 * @example
 * from(plan.samples).pipe(decode(224), augment(horizontalFlip(), rotate(), colorJitter()), normalize(IMAGENET));
 */
export function augment<S extends MaybeMasked>(...transforms: readonly Transform[]): OperatorFunction<S, S> {
  checkChances('augment', transforms);
  return concatMap((sample) => (transforms.length === 0 ? of(sample) : augmentSample(sample, transforms)));
}
