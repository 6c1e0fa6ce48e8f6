import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { concatMap, from, map, type Observable, type OperatorFunction, of, toArray } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import { imageTensor, tensorOf } from '../src/data/images/image-tensor.js';
import { renderedPixels } from '../src/data/images/rendered-pixels.js';
import { noteRender } from '../src/data/load-notes.js';
import { type BatchPixels, giveBack } from '../src/data/pixels/render.js';
import type { BatchPlan, Item, MaskedSample, Sample } from '../src/data/types.js';
import { copiesOnWrite } from '../src/engine/copies-on-write.js';
import { maskTensor, maskTensorOf } from '../src/tasks/segmentation/mask-tensor.js';
import { collated } from './collate.js';

/**
 * Collates the pictures of one plan into the tensors of one batch: float32 images [batch, height, width, 3], and
 * masks, or the tensor that `targets` makes of the samples. See `collate`.
 *
 * @throws UserError when samples are of several sizes, or not normalised, and when there is none.
 * @example
 * const load = (plan: BatchPlan) => from(plan.samples).pipe(decode(224), normalize(IMAGENET), batch(plan));
 */
export function batch(
  plan: BatchPlan<Item>,
): OperatorFunction<MaskedSample<Float32Array>, Batch<Tensor4D, Tensor3D>>;
export function batch<S extends Sample<Item, Float32Array>, Target extends Tensors>(
  plan: BatchPlan<Item>,
  targets: (samples: readonly S[]) => Target,
): OperatorFunction<S, Batch<Tensor4D, Target>>;
export function batch(
  plan: BatchPlan<Item>,
  targets: (samples: readonly MaskedSample<Float32Array>[]) => Tensors = maskTensor,
): OperatorFunction<MaskedSample<Float32Array>, Batch<Tensor4D, Tensors>> {
  const tensors = (samples: readonly MaskedSample<Float32Array>[], pixels?: BatchPixels) => {
    const inputs = pixels ? tensorOf(samples, pixels.images) : imageTensor(samples);
    try {
      const { masks, range } = pixels ?? {};
      return { inputs, targets: masks ? maskTensorOf(samples, masks, range) : targets(samples) };
    } catch (error) {
      inputs.dispose();
      throw error;
    }
  };
  return (samples$) =>
    samples$.pipe(
      toArray(),
      // Tensors are made once the pixels are there, so that whoever leaves before leaves none behind.
      concatMap((samples) => {
        const started = performance.now();
        const pixels$: Observable<BatchPixels | undefined> = from(
          renderedPixels(samples, { masks: targets === maskTensor }) ?? of(undefined),
        );
        return pixels$.pipe(
          map((pixels) => {
            const whole = collated(plan, samples, () => tensors(samples, pixels));
            noteRender(whole, (performance.now() - started) / 1000);
            if (pixels && copiesOnWrite()) giveBack(pixels);
            return whole;
          }),
        );
      }),
    );
}
