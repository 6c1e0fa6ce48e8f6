import type { Scalar } from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../../../engine/ops/cross-entropy.js';
import type { Loss } from '../../../model/loss.js';
import { checkClasses } from './check-classes.js';
import { type CrossEntropyOptions, pixelCrossEntropy } from './pixel-cross-entropy.js';

/**
 * −log softmax(logits) of the right class, averaged over the pixels that count, as in torch's `cross_entropy` with
 * `ignore_index=255`, its `weight` where classes have `weights`, and its `label_smoothing` where there is `smoothing`
 * (Szegedy et al. 2016, arXiv:1512.00567, § 7).
 *
 * With `hardest` only that share of the pixels counts, the ones with the largest losses: online hard example mining
 * (Shrivastava et al. 2016, arXiv:1604.03540; for pixels Wu et al. 2016, arXiv:1605.06885).
 *
 * @example
 * crossEntropy({ smoothing: 0.1, hardest: 0.25 });
 */
export function crossEntropy({ weights, smoothing, hardest }: CrossEntropyOptions = {}): Loss {
  if (weights || smoothing || hardest !== undefined)
    return pixelCrossEntropy({ weights, smoothing, hardest });
  return (logits, masks) => {
    checkClasses(logits, masks);
    return softmaxCrossEntropy(logits, masks) as Scalar;
  };
}
