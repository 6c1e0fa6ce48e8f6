import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../data/batch.js';

/**
 * The function that training minimises: a scalar of a model's outputs and a batch's targets, their mean over the batch. One of your
 * own is a function of tfjs operations, or a sum of others.
 *
 * @example
 * const [dice, entropy] = [logCoshDice(), crossEntropy()];
 * const loss: Loss = (logits, masks) => add(dice(logits, masks), mul(0.5, entropy(logits, masks)));
 */
export type Loss<Out extends Tensors = Tensor, Target extends Tensors = Tensor> = (
  outputs: Out,
  targets: Target,
) => Scalar;
