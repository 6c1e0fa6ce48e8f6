import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import { argMax, Tensor, tidy } from '../src/base/tfjs-core.js';
import type { Batch, Tensors } from '../src/data/batch.js';
import { pictures } from '../src/data/images/pictures.js';
import type { Model } from '../src/model/model.js';
import type { Prediction } from '../src/tasks/segmentation/overlays.js';
import { IMAGENET, type Normalization } from './normalize.js';

/**
 * Runs the model on each batch, without dropout: one `Prediction` per sample, titled by its stem, in order.
 *
 * Pictures need no masks: without targets (`noTargets`) predictions have none either.
 *
 * Stands inside the lease. The picture is read back from the batch, so it is what the model saw, augmentation included;
 * `normalization` must be the one that the batch was made with. Default IMAGENET.
 *
 * @example
 * prefetch(batchPlans(test, { batchSize: 4, seed, shuffle: false }), load, { ahead: 1 }).pipe(
 *   concatLease((batch$) => batch$.pipe(predict(model, model.normalization))),
 * );
 */
export function predict(
  model: Model,
  normalization: Normalization = IMAGENET,
): OperatorFunction<Batch<Tensor, Tensors>, Prediction> {
  return pipe(
    concatMap((batch: Batch<Tensor, Tensors>) => predictions(model, batch, normalization)),
    concatAll(),
  );
}

async function predictions(
  model: Model,
  { plan, inputs: images, targets }: Batch<Tensor, Tensors>,
  normalization: Normalization,
): Promise<Prediction[]> {
  const classes = tidy(() => argMax(model.forward(images), -1));
  try {
    const [shown, masks, guesses] = await Promise.all([
      pictures(images, normalization),
      targets instanceof Tensor ? targets.data() : undefined,
      classes.data(),
    ]);
    return shown.map((picture, i) => {
      const size = picture.width * picture.height;
      return {
        // A batch of one's own making may have no plans of samples.
        title: plan.samples[i]?.item.stem ?? `${i}`,
        ...picture,
        ...(masks && { target: Uint8Array.from(masks.subarray(i * size, (i + 1) * size)) }),
        prediction: Uint8Array.from(guesses.subarray(i * size, (i + 1) * size)),
      };
    });
  } finally {
    classes.dispose();
  }
}
