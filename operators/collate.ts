import { map, type OperatorFunction, toArray } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { dispose } from '../src/base/tfjs-core.js';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { BatchPlan, Item, SamplePlan } from '../src/data/types.js';

/**
 * Collates the samples of one plan into one batch, whatever their type; for pictures see `batch`.
 *
 * The batch's plan holds the plans of the samples that came: fewer than planned where some were filtered out, several
 * of one picture where it was cut into tiles. The batch is freed by its `dispose`, which a lease calls: load it through
 * `prefetch`.
 *
 * @throws UserError when there is no sample.
 * @example
 * from(plan.samples).pipe(
 *   map((place) => ({ plan: place, numbers: [place.index, 1], label: 0 })),
 *   collate(plan, (samples) => ({
 *     inputs: tensor2d(samples.map(({ numbers }) => numbers)),
 *     targets: tensor1d(samples.map(({ label }) => label), 'int32'),
 *   })),
 * );
 */
export function collate<
  S extends { readonly plan: SamplePlan<Item> },
  In extends Tensors,
  Target extends Tensors,
>(
  plan: BatchPlan<Item>,
  tensors: (samples: readonly S[]) => { readonly inputs: In; readonly targets: Target },
): OperatorFunction<S, Batch<In, Target>> {
  return (samples$) =>
    samples$.pipe(
      toArray(),
      map((samples) => collated(plan, samples, tensors)),
    );
}

/** The batch of all samples of a plan. @throws UserError when there is none. */
export function collated<
  S extends { readonly plan: SamplePlan<Item> },
  In extends Tensors,
  Target extends Tensors,
>(
  plan: BatchPlan<Item>,
  samples: readonly S[],
  tensors: (samples: readonly S[]) => { readonly inputs: In; readonly targets: Target },
): Batch<In, Target> {
  if (samples.length === 0)
    throw new UserError(
      `batch: expected at least one of the ${plan.samples.length} samples of batch ${plan.batch} in epoch ${plan.epoch}, got none; filter items before they are planned`,
      { position: plan.position },
    );
  const { inputs, targets } = tensors(samples);
  return {
    plan: { ...plan, samples: samples.map((sample) => sample.plan) },
    inputs,
    targets,
    dispose: () => dispose([inputs, targets]),
  };
}
