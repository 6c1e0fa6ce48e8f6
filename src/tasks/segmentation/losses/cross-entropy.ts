import type { Scalar } from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '../../../engine/ops/cross-entropy.js';
import type { Loss } from '../../../model/loss.js';
import { checkClasses } from './check-classes.js';

/**
 * −log softmax(logits) of the right class, averaged over the pixels that count, as in torch's `cross_entropy` with
 * `ignore_index=255`.
 */
export function crossEntropy(): Loss {
  return (logits, masks) => {
    checkClasses(logits, masks);
    return softmaxCrossEntropy(logits, masks) as Scalar;
  };
}
