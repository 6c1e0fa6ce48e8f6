import type { Tensor } from '@tensorflow/tfjs-core';
import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import { tidy } from '../src/base/tfjs-core.js';
import { memoryHint } from '../src/engine/out-of-memory.js';
import type { Model } from '../src/model/model.js';
import { classesAt } from '../src/tasks/segmentation/classes-at.js';
import type { Prediction } from '../src/tasks/segmentation/overlays.js';
import type { PictureBatch } from './picture-batches.js';

/**
 * Runs a segmenter on each batch, without dropout: one `Prediction` per picture, at the picture's own size and titled
 * by its stem, in order.
 *
 * Logits are interpolated to that size before the most likely class is taken; see `classesAt`. Stands inside the lease.
 *
 * @see pictureBatches
 * @see predict for what the model itself sees, with masks beside it
 */
export function predictPictures(model: Model): OperatorFunction<PictureBatch, Prediction> {
  return pipe(
    concatMap((batch: PictureBatch) => predictions(model, batch)),
    concatAll(),
  );
}

async function predictions(model: Model, { plan, inputs, pictures }: PictureBatch): Promise<Prediction[]> {
  if (pictures.length === 0) return [];
  let logits: Tensor | undefined;
  try {
    logits = tidy(() => model.forward(inputs));
    const [, rows, columns, classes] = logits.shape as [number, number, number, number];
    const values = (await logits.data()) as Float32Array;
    const size = rows * columns * classes;
    return pictures.map(({ width, height, data }, i) => ({
      title: plan.samples[i]!.item.stem,
      width,
      height,
      image: data,
      prediction: classesAt(
        values.subarray(i * size, (i + 1) * size),
        { rows, columns, classes },
        { width, height },
      ),
    }));
  } catch (error) {
    throw memoryHint(error, inputs.shape);
  } finally {
    logits?.dispose();
  }
}
