import type { Tensor } from '@tensorflow/tfjs-core';
import { argMax, tidy } from '../../../base/tfjs-core.js';
import type { Extras, Loss } from '../../../model/loss.js';
import type { Metrics } from '../../../model/metrics.js';
import { ConfusionMatrix } from '../../confusion-matrix.js';
import { type AbsentOption, softScores } from '../losses/soft-scores.js';
import './metric.js';
import type { SegmentationScores } from './segmentation-scores.js';

/** Options of `segmentationMetrics`. */
export interface SegmentationMetricsOptions extends AbsentOption {
  readonly classes: number;
  readonly loss: Loss;
}

/**
 * Accumulates the scores of a segmentation: loss and soft scores as means over batches weighted by their images, hard
 * scores from one confusion matrix.
 *
 * @example
 * const metrics = segmentationMetrics({ classes: 3, loss: logCoshDice() });
 * evaluate(model, prefetch(plans, load, { ahead: 1 }), metrics);
 */
export function segmentationMetrics(
  options: SegmentationMetricsOptions,
): () => Metrics<Tensor, Tensor, SegmentationScores> {
  return () => new SegmentationMetrics(options);
}

class SegmentationMetrics implements Metrics<Tensor, Tensor, SegmentationScores> {
  readonly #confusion: ConfusionMatrix;
  #images = 0;
  #sums = [0, 0, 0];

  constructor(private readonly options: SegmentationMetricsOptions) {
    this.#confusion = new ConfusionMatrix(options.classes);
  }

  /** Logits [batch, height, width, classes], masks [batch, height, width]. */
  async add(logits: Tensor, masks: Tensor, extras?: Extras): Promise<void> {
    const count = masks.shape[0]!;
    const results = tidy(() => {
      const { dice, iou } = softScores(logits, masks, this.options);
      return [this.options.loss(logits, masks, extras), dice, iou, argMax(logits, -1)] as const;
    });
    try {
      const [predictions, targets, ...means] = await Promise.all([
        results[3].data(),
        masks.data(),
        ...results.slice(0, 3).map((mean) => mean.data()),
      ]);
      this.#confusion.add(targets, predictions);
      means.forEach(([mean], i) => {
        this.#sums[i]! += mean! * count;
      });
      this.#images += count;
    } finally {
      for (const tensor of results) tensor.dispose();
    }
  }

  scores(): SegmentationScores {
    const [loss, softDice, softIou] = this.#sums.map((sum) => sum / Math.max(this.#images, 1)) as [
      number,
      number,
      number,
    ];
    const { dice, iou, miou, accuracy, counts } = this.#confusion;
    return { loss, softDice, softIou, dice, iou, miou, accuracy, confusion: counts };
  }
}
