import type { Scalar } from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../../../engine/ops/cross-entropy.js';
import type { Loss } from '../../../model/loss.js';
import { checkClasses } from './check-classes.js';
import { type WeightOption, weightedCrossEntropy } from './weighted-cross-entropy.js';

/**
 * −log softmax(logits) of the right class, averaged over the pixels that count, as in torch's `cross_entropy` with
 * `ignore_index=255`, and its `weight` where classes have `weights`.
 */
export function crossEntropy({ weights }: WeightOption = {}): Loss {
  if (weights) return weightedCrossEntropy(weights);
  return (logits, masks) => {
    checkClasses(logits, masks);
    return softmaxCrossEntropy(logits, masks) as Scalar;
  };
}
