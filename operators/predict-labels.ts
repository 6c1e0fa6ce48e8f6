import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import { softmax, tidy } from '../src/base/tfjs-core.js';
import type { Batch } from '../src/data/batch.js';
import { pictures } from '../src/data/images/pictures.js';
import type { Model } from '../src/model/model.js';
import type { LabelPrediction } from '../src/tasks/classification/label-sheet.js';
import { IMAGENET, type Normalization } from './normalize.js';

/**
 * Runs a classifier on each batch, without dropout: one `LabelPrediction` per sample, titled by its stem, in order.
 *
 * Stands inside the lease. The picture is read back from the batch, so it is what the model saw; `normalization` must be
 * the one that the batch was made with. Default IMAGENET.
 *
 * @see predict for masks
 */
export function predictLabels(
  model: Model<Tensor, Tensor2D>,
  normalization: Normalization = IMAGENET,
): OperatorFunction<Batch<Tensor, Tensor1D>, LabelPrediction> {
  return pipe(
    concatMap((batch: Batch<Tensor, Tensor1D>) => predictions(model, batch, normalization)),
    concatAll(),
  );
}

async function predictions(
  model: Model<Tensor, Tensor2D>,
  { plan, inputs, targets }: Batch<Tensor, Tensor1D>,
  normalization: Normalization,
): Promise<LabelPrediction[]> {
  const likely = tidy(() => softmax(model.forward(inputs)));
  try {
    const [shown, labels, shares] = await Promise.all([
      pictures(inputs, normalization),
      targets.data(),
      likely.data(),
    ]);
    const classes = likely.shape[1];
    return shown.map((picture, i) => {
      const row = shares.subarray(i * classes, (i + 1) * classes) as Float32Array;
      const probability = Math.max(...row);
      return {
        ...picture,
        title: plan.samples[i]?.item.stem ?? `${i}`,
        target: labels[i]!,
        prediction: row.indexOf(probability),
        probability,
      };
    });
  } finally {
    likely.dispose();
  }
}
