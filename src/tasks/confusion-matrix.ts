import { IGNORE_INDEX } from '../data/types.js';
import { meanOf } from '../events/metric.js';

/**
 * Counts of pixels (or pictures) by [target][prediction], over a whole split: the source of the hard scores.
 *
 * What has the target `ignored`, by default 255, is not counted. Scores of a class are null where it occurs in neither target nor
 * prediction, and are then left out of the mean.
 *
 * @example
 * const matrix = new ConfusionMatrix(2);
 * matrix.add([0, 1, 1, 255], [0, 1, 0, 0]);
 * matrix.accuracy; // => 0.6666666666666666
 * matrix.iou; // => [0.5, 0.5]
 */
export class ConfusionMatrix {
  /** [target][prediction], in pixels. */
  readonly counts: readonly number[][];

  readonly #ignored: number | undefined;

  constructor(
    readonly classes: number,
    { ignored }: { readonly ignored: number | undefined } = { ignored: IGNORE_INDEX },
  ) {
    this.#ignored = ignored;
    this.counts = Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0));
  }

  /** The matrix of counts by [target][prediction] that were kept. */
  static of(counts: readonly (readonly number[])[]): ConfusionMatrix {
    const matrix = new ConfusionMatrix(counts.length);
    counts.forEach((row, target) => {
      row.forEach((count, prediction) => {
        matrix.counts[target]![prediction] = count;
      });
    });
    return matrix;
  }

  /** Class ids, pixel by pixel. */
  add(targets: ArrayLike<number>, predictions: ArrayLike<number>): this {
    if (targets.length !== predictions.length)
      throw new Error(`${targets.length} targets but ${predictions.length} predictions`);
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (target === this.#ignored) continue;
      const row = this.counts[target];
      const prediction = predictions[i]!;
      if (row?.[prediction] === undefined)
        throw new Error(`class ${row ? prediction : target} of ${this.classes}`);
      row[prediction]!++;
    }
    return this;
  }

  /** 2·TP / (2·TP + FP + FN) per class. */
  get dice(): (number | null)[] {
    return this.#byClass((hits, targets, predictions) => (2 * hits) / (targets + predictions));
  }

  /** TP / (TP + FP + FN) per class. */
  get iou(): (number | null)[] {
    return this.#byClass((hits, targets, predictions) => hits / (targets + predictions - hits));
  }

  /** The mean of `iou` over the classes that occur; 0 if none does. */
  get miou(): number {
    return meanOf(this.iou);
  }

  /** Share of correct pixels; 0 if none was counted. */
  get accuracy(): number {
    let right = 0;
    let all = 0;
    this.counts.forEach((row, c) => {
      right += row[c]!;
      for (const n of row) all += n;
    });
    return all === 0 ? 0 : right / all;
  }

  #byClass(score: (hits: number, targets: number, predictions: number) => number): (number | null)[] {
    return this.counts.map((row, c) => {
      const targets = row.reduce((a, b) => a + b, 0);
      const predictions = this.counts.reduce((sum, other) => sum + other[c]!, 0);
      return targets + predictions === 0 ? null : score(row[c]!, targets, predictions);
    });
  }
}
