import { argMax, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { Batch } from '../../../data/types.js';
import { memoryHint } from '../../../engine/out-of-memory.js';
import type { Scores } from '../../../events/event.js';
import type { Model } from '../../../model/parameters.js';
import type { Loss } from '../losses/loss.js';
import { type AbsentOption, softScores } from '../losses/soft-scores.js';
import { ConfusionMatrix } from './confusion-matrix.js';

/** What scoring needs to know beside the model. */
export interface ScoringOptions extends AbsentOption {
  readonly classes: number;
  readonly loss: Loss;
}

/**
 * Gathers the scores of a split batch by batch: loss and soft scores as means over batches weighted by their
 * images, hard scores from one confusion matrix.
 */
export class Scorer {
  readonly #confusion: ConfusionMatrix;
  #images = 0;
  #sums = [0, 0, 0];

  constructor(private readonly options: ScoringOptions) {
    this.#confusion = new ConfusionMatrix(options.classes);
  }

  get images(): number {
    return this.#images;
  }

  /** Runs the model on a batch, without dropout, and adds its scores. The batch stays the caller's. */
  async score(model: Model, { images, masks }: Pick<Batch, 'images' | 'masks'>): Promise<void> {
    let logits: Tensor | undefined;
    try {
      logits = tidy(() => model.forward(images));
      await this.add(logits, masks);
    } catch (error) {
      throw memoryHint(error, images.shape);
    } finally {
      logits?.dispose();
    }
  }

  /** Logits [batch, height, width, classes], masks [batch, height, width]. */
  async add(logits: Tensor, masks: Tensor): Promise<void> {
    const count = masks.shape[0]!;
    const results = tidy(() => {
      const { dice, iou } = softScores(logits, masks, this.options);
      return [this.options.loss(logits, masks), dice, iou, argMax(logits, -1)] as const;
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

  scores(): Scores {
    const [loss, softDice, softIou] = this.#sums.map((sum) => sum / Math.max(this.#images, 1)) as [
      number,
      number,
      number,
    ];
    const { dice, iou, miou, accuracy, counts } = this.#confusion;
    return { loss, softDice, softIou, dice, iou, miou, accuracy, confusion: counts };
  }
}
