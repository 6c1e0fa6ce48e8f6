import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { add, div, minimum, mul, onesLike, sub, sum } from '../../../base/tfjs-core.js';
import { type Overlap, overlap } from './loss.js';

/** The weight of a class that does not occur in the batch. */
export interface AbsentOption {
  /**
   * `omit` (default) leaves it out; `count` gives it weight 1/ε, as the study that this project re-imagines does:
   * it then takes nearly all the weight, with a Dice near 0.
   */
  readonly absent?: 'omit' | 'count';
}

const EPSILON = 1e-6;

/**
 * Dice and IoU of probabilities, averaged over classes by inverse frequency; both scalars in [0, 1].
 *
 * With p = softmax(logits), one-hot t, per class over the batch I = Σp·t, S = Σ(p + t), n = Σt, ε = 1e-6:
 * dice = (2I + ε)/(S + ε), iou = (I + ε)/(S − I + ε), w ∝ 1/(n + ε) with Σw = 1.
 *
 * They are smooth and depend on how images are batched: not the Dice and mIoU of the literature, which
 * `ConfusionMatrix` gives.
 */
export function softScores(
  logits: Tensor,
  masks: Tensor,
  { absent = 'omit' }: AbsentOption = {},
): { readonly dice: Scalar; readonly iou: Scalar } {
  const { intersection, predicted, target } = overlap(logits, masks);
  const both = add(predicted, target);
  const dice = div(add(mul(2, intersection), EPSILON), add(both, EPSILON));
  const iou = div(add(intersection, EPSILON), add(sub(both, intersection), EPSILON));
  const present = absent === 'count' ? onesLike(target) : presence({ target });
  const weight = div(present, add(target, EPSILON));
  // A batch of ignored pixels alone has no class: ε keeps 0/0 away, and both scores are 0.
  const total = add(sum(weight), 1e-30);
  return { dice: div(sum(mul(weight, dice)), total), iou: div(sum(mul(weight, iou)), total) };
}

/**
 * 1 for each class that occurs in the batch, else 0: counts are integers, and a comparison would have no gradient.
 */
export function presence({ target }: Pick<Overlap, 'target'>): Tensor {
  return minimum(target, 1);
}
