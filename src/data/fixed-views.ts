import type { BatchPlan, Item } from './types.js';

/**
 * Lets a fixed number of views of each sample take turns by epoch: epoch `views + 1` augments a sample as epoch 1 did, and
 * so on. The batches stay those of their own epoch.
 *
 * @see throughTrunk for what is computed once for each view
 * @example
 * const load = (plan: BatchPlan) =>
 *   from(fixedViews(plan, 4).samples).pipe(decode(224), augment(horizontalFlip()), normalize(IMAGENET), batch(plan));
 */
export function fixedViews<I extends Item>(plan: BatchPlan<I>, views = Infinity): BatchPlan<I> {
  if (plan.epoch <= views) return plan;
  return {
    ...plan,
    samples: plan.samples.map((sample) => ({ ...sample, epoch: ((sample.epoch - 1) % views) + 1 })),
  };
}
