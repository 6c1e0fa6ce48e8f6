import { type Tensor3D, type Tensor4D, tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import { map, type OperatorFunction, toArray } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Batch } from '../src/data/batch.js';
import type { BatchPlan, Sample } from '../src/data/types.js';
import { memoryHint } from '../src/engine/out-of-memory.js';

/**
 * Collates the samples of one plan into the tensors of one batch.
 *
 * The batch's plan holds the plans of the samples that came: fewer than planned where some were filtered out, several
 * of one picture where it was cut into tiles. The batch is freed by its `dispose`, which a lease calls: load it through
 * `prefetch`.
 *
 * @throws UserError when samples are of several sizes, or not normalised, and when there is none.
 * @example
 * const load = (plan: BatchPlan) => from(plan.samples).pipe(decode(224), normalize(IMAGENET), batch(plan));
 */
export function batch(plan: BatchPlan): OperatorFunction<Sample, Batch<Tensor4D, Tensor3D>> {
  return (samples$) =>
    samples$.pipe(
      toArray(),
      map((samples): Batch<Tensor4D, Tensor3D> => {
        const [first] = samples;
        if (!first)
          throw new UserError(
            `batch: expected at least one of the ${plan.samples.length} samples of batch ${plan.batch} in epoch ${plan.epoch}, got none; filter pairs before they are planned`,
            { position: plan.position },
          );
        const { width, height } = first;
        const pixels = width * height;
        const { floats, ids } = arrays(samples.length, height, width);
        samples.forEach(({ width: w, height: h, image, mask }, i) => {
          if (w !== width || h !== height)
            throw new UserError(
              `batch: expected samples of one size, got ${width}×${height} and ${w}×${h}; decode them to one`,
            );
          if (!(image instanceof Float32Array))
            throw new UserError('batch: expected normalised images, got bytes; put normalize(…) before it');
          floats.set(image, i * pixels * 3);
          ids.set(mask, i * pixels);
        });
        const images = tensor4d(floats, [samples.length, height, width, 3]);
        const masks = tensor3d(ids, [samples.length, height, width], 'int32');
        const dispose = () => {
          images.dispose();
          masks.dispose();
        };
        return {
          plan: { ...plan, samples: samples.map((sample) => sample.plan) },
          inputs: images,
          targets: masks,
          dispose,
        };
      }),
    );
}

function arrays(images: number, height: number, width: number) {
  try {
    const pixels = images * height * width;
    return { floats: new Float32Array(3 * pixels), ids: new Int32Array(pixels) };
  } catch (error) {
    throw memoryHint(error, [images, height, width]);
  }
}
