import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../data/batch.js';

/** What a model says of its inputs beside its outputs, by name, for the losses that read it. */
export type Extras = Readonly<Record<string, Tensor>>;

/**
 * The function that training minimises: a scalar of a model's outputs and a batch's targets, their mean over the batch. One of your
 * own is a function of tfjs operations, or a sum of others.
 *
 * A model that says more than its outputs gives `extras` (see `Pass.extras`); most losses read none.
 *
 * @example
 * const [dice, entropy] = [logCoshDice(), crossEntropy()];
 * const loss: Loss = (logits, masks) => add(dice(logits, masks), mul(0.5, entropy(logits, masks)));
 */
export type Loss<Out extends Tensors = Tensor, Target extends Tensors = Tensor> = (
  outputs: Out,
  targets: Target,
  extras?: Extras,
) => Scalar;
