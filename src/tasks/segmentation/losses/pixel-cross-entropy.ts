import { UserError } from '../../../base/errors.js';
import {
  add,
  div,
  greater,
  logSoftmax,
  matMul,
  maximum,
  mul,
  neg,
  sum,
  type Tensor,
  tensor2d,
  where,
  zerosLike,
} from '../../../base/tfjs-core.js';
import type { Loss } from '../../../model/loss.js';
import { hardest } from './hardest.js';
import { pixels } from './loss.js';

/** Options of losses whose classes may have weights. */
export interface WeightOption {
  /** The weight of each class. Default: all 1. */
  readonly weights?: readonly number[] | undefined;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends WeightOption {
  /** The share of the target that is spread evenly over all classes, from 0 to below 1. Default 0. */
  readonly smoothing?: number | undefined;
  /** The share of the pixels that count, those with the largest losses, above 0. Default 1: all. */
  readonly hardest?: number | undefined;
}

/** `crossEntropy` where an option is given, pixel by pixel. */
export function pixelCrossEntropy({ weights, smoothing = 0, hardest: share = 1 }: CrossEntropyOptions): Loss {
  if (!(smoothing >= 0 && smoothing < 1))
    throw new UserError(`smoothing: expected a number from 0 up and below 1, got ${smoothing}`, {
      smoothing,
    });
  if (!(share > 0 && share <= 1))
    throw new UserError(`hardest: expected a share above 0 and at most 1, got ${share}`, { share });
  return (logits, masks) => {
    const { logits: rows, target, valid } = pixels(logits, masks);
    const logP = logSoftmax(rows);
    // Chosen and not multiplied: what is not the target may have the probability 0.
    const picked = sum(where(greater(target, 0), logP, zerosLike(logP)), 1, true);
    const weight = weights ? pixelWeights(target, weights) : valid;
    const sharp = neg(mul(picked, weight));
    const each = smoothing === 0 ? sharp : smoothed(sharp, mul(logP, valid), smoothing, weights);
    const chosen = share === 1 ? valid : hardest(each, valid, share);
    return div(sum(mul(each, chosen)), maximum(sum(mul(weight, chosen)), TINY));
  };
}

/** (1 − ε)·loss − ε·mean over the classes of w·log p. */
function smoothed(
  sharp: Tensor,
  logP: Tensor,
  smoothing: number,
  weights: readonly number[] | undefined,
): Tensor {
  const classes = logP.shape[1]!;
  const byClass = weights ?? Array.from({ length: classes }, () => 1);
  const even = matMul(logP as never, tensor2d([...byClass], [classes, 1]));
  return add(mul(1 - smoothing, sharp), mul(-smoothing / classes, even));
}

/** Keeps a batch without a weighted pixel from dividing by 0. */
export const TINY = 1e-12;

/** The weight of each pixel's class, 0 where it is ignored: [pixels, 1]. @throws UserError for another number of weights than classes. */
export function pixelWeights(target: Tensor, weights: readonly number[]): Tensor {
  const classes = target.shape[1]!;
  if (weights.length !== classes)
    throw new UserError(`weights: expected one for each of ${classes} classes, got ${weights.length}`, {
      weights,
    });
  return matMul(target as never, tensor2d([...weights], [classes, 1]));
}
