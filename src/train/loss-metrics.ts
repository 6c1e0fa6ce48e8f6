import type { Tensor } from '@tensorflow/tfjs-core';
import { tidy } from '../base/tfjs-core.js';
import { shapeOf, type Tensors } from '../data/batch.js';
import type { Scores } from '../events/scores.js';
import type { Loss } from '../model/loss.js';
import type { Metrics } from '../model/metrics.js';

/**
 * Only the loss of a split: the mean over its samples. What a run scores by where it is given no metrics.
 *
 * @example
 * const metrics = lossMetrics(crossEntropy());
 */
export function lossMetrics<Out extends Tensors = Tensor, Target extends Tensors = Tensor>(
  loss: Loss<Out, Target>,
): () => Metrics<Out, Target, Scores> {
  return () => {
    let [sum, samples] = [0, 0];
    return {
      add: async (outputs, targets, extras) => {
        const count = shapeOf(targets)[0]!;
        const value = tidy(() => loss(outputs, targets, extras));
        try {
          sum += (await value.data())[0]! * count;
          samples += count;
        } finally {
          value.dispose();
        }
      },
      scores: () => ({ loss: sum / Math.max(samples, 1) }),
    };
  };
}
