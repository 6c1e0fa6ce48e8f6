import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { argMax, tidy } from '../../../base/tfjs-core.js';
import { meanOf } from '../../../events/metric.js';
import type { Loss } from '../../../model/loss.js';
import type { Metrics } from '../../../model/metrics.js';
import { ConfusionMatrix } from '../../confusion-matrix.js';
import './label-metrics.js';

/** Scores of a classification on a split. */
export type ClassificationScores = {
  readonly loss: number;
  /** Share of correctly predicted pictures. */
  readonly accuracy: number;
  /** The mean of `f1` over the classes that occur. */
  readonly macroF1: number;
  /** Share of pictures whose class is among the k most likely ones. */
  readonly topK: number;
  /** 2·TP / (2·TP + FP + FN) by class; null where a class occurs in neither target nor prediction. */
  readonly f1: readonly (number | null)[];
  /** [target][prediction] in pictures. */
  readonly confusion: readonly (readonly number[])[];
};

/** Options of `classificationMetrics`. */
export interface ClassificationMetricsOptions {
  readonly classes: number;
  readonly loss: Loss<Tensor2D, Tensor1D>;
  /** The k of `topK`, at most the number of classes. Default 5. */
  readonly k?: number;
}

/**
 * Accumulates the scores of a classification over a split; the loss is a mean over pictures.
 *
 * A picture is in the top k where fewer than k classes have a higher logit than its own.
 *
 * @example
 * const scoring = classificationMetrics({ classes: 3, loss: labelCrossEntropy(), k: 2 });
 */
export function classificationMetrics(
  options: ClassificationMetricsOptions,
): () => Metrics<Tensor2D, Tensor1D, ClassificationScores> {
  return () => new ClassificationMetrics(options);
}

class ClassificationMetrics implements Metrics<Tensor2D, Tensor1D, ClassificationScores> {
  readonly #confusion: ConfusionMatrix;
  #pictures = 0;
  #loss = 0;
  #inTop = 0;

  constructor(private readonly options: ClassificationMetricsOptions) {
    this.#confusion = new ConfusionMatrix(options.classes, { ignored: undefined });
  }

  async add(logits: Tensor2D, labels: Tensor1D): Promise<void> {
    const count = labels.shape[0];
    const results = tidy(() => [this.options.loss(logits, labels), argMax(logits, 1)] as const);
    try {
      const [[loss], predictions, targets, values] = await Promise.all([
        results[0].data(),
        results[1].data(),
        labels.data(),
        logits.data(),
      ]);
      this.#confusion.add(targets, predictions);
      this.#loss += loss! * count;
      this.#pictures += count;
      const { classes, k = 5 } = this.options;
      for (let i = 0; i < count; i++) {
        const row = values.subarray(i * classes, (i + 1) * classes);
        const score = row[targets[i]!]!;
        if (row.filter((value) => value > score).length < k) this.#inTop++;
      }
    } finally {
      for (const tensor of results) tensor.dispose();
    }
  }

  scores(): ClassificationScores {
    const { accuracy, dice, counts } = this.#confusion;
    const pictures = Math.max(this.#pictures, 1);
    return {
      loss: this.#loss / pictures,
      accuracy,
      macroF1: meanOf(dice),
      topK: this.#inTop / pictures,
      f1: dice,
      confusion: counts,
    };
  }
}
