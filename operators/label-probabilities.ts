import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import { softmax, tidy } from '../src/base/tfjs-core.js';
import type { ImageItem } from '../src/data/types.js';
import { memoryHint } from '../src/engine/out-of-memory.js';
import type { Model } from '../src/model/model.js';
import type { PictureBatch } from './picture-batches.js';

/** A picture and the probability of each class, in the order of the classes. */
export interface PictureLabels {
  readonly item: ImageItem;
  /** They add up to 1. */
  readonly probabilities: Float32Array;
}

/**
 * Runs a classifier on each batch, without dropout: one `PictureLabels` per picture, in order. Stands inside the lease.
 *
 * @see pictureBatches
 * @see predictLabels for pictures whose labels are known
 */
export function labelProbabilities(
  model: Model<Tensor, Tensor2D>,
): OperatorFunction<PictureBatch, PictureLabels> {
  return pipe(
    concatMap((batch: PictureBatch) => probabilities(model, batch)),
    concatAll(),
  );
}

async function probabilities(
  model: Model<Tensor, Tensor2D>,
  { plan, inputs }: PictureBatch,
): Promise<PictureLabels[]> {
  if (plan.samples.length === 0) return [];
  let likely: Tensor2D | undefined;
  try {
    likely = tidy(() => softmax(model.forward(inputs)));
    const values = (await likely.data()) as Float32Array;
    const classes = likely.shape[1];
    return plan.samples.map(({ item }, i) => ({
      item,
      probabilities: values.slice(i * classes, (i + 1) * classes),
    }));
  } catch (error) {
    throw memoryHint(error, inputs.shape);
  } finally {
    likely?.dispose();
  }
}
