import { UserError } from '../../../base/errors.js';
import {
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
import { pixels } from './loss.js';

/** Options of losses whose classes may have weights. */
export interface WeightOption {
  /** The weight of each class. Default: all 1. */
  readonly weights?: readonly number[] | undefined;
}

/** −log softmax(logits) of the right class, weighted by it and divided by the sum of the weights, as in torch's `cross_entropy` with `weight`. */
export function weightedCrossEntropy(weights: readonly number[]): Loss {
  return (logits, masks) => {
    const { logits: rows, target } = pixels(logits, masks);
    const logP = logSoftmax(rows);
    // Chosen and not multiplied: what is not the target may have the probability 0.
    const picked = sum(where(greater(target, 0), logP, zerosLike(logP)), 1, true);
    const weight = pixelWeights(target, weights);
    return div(neg(sum(mul(picked, weight))), maximum(sum(weight), TINY));
  };
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
