import type { Tensor } from '@tensorflow/tfjs-core';
import type { Tensors } from '../data/batch.js';
import type { Random } from '../random/random-stream.js';
import type { Extras } from './loss.js';
import type { Parameters } from './parameters.js';

/** How a forward pass runs: `random` feeds dropout and is given when, and only when, the model trains. */
export interface Pass<Out extends Tensors = Tensor> {
  /** Draws the next number, uniform in [0, 1). */
  readonly random?: Random;
  /** Takes the outputs of each auxiliary head, which the loss is to see, too; given where the model trains with some. */
  readonly auxiliary?: (outputs: Out) => void;
  /** Takes what the model says beside its outputs, if anything; given where a loss may read it. */
  readonly extras?: (extras: Extras) => void;
}

/** A model as training sees it: parameters, and a function of them. */
export interface Model<In extends Tensors = Tensor, Out extends Tensors = Tensor> {
  readonly parameters: Parameters;
  /** The adapter in it, if any. */
  readonly adapter?: { readonly name: string } | undefined;
  /** Maps inputs to outputs. Without a pass, as in scoring: dropout and the like are off. */
  forward(inputs: In, pass?: Pass<Out>): Out;
  /** Frees the parameters. */
  dispose(): void;
}
