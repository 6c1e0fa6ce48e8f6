import type { GradSaveFunc, Tensor } from '@tensorflow/tfjs-core';
import { customGrad, engine, zerosLike } from '../base/tfjs-core.js';
import { valueAndGradients } from './value-and-gradients.js';

/**
 * f(x), of which nothing but x is kept for the gradient: `f` runs once more when the gradient is taken (Chen et al. 2016,
 * arXiv:1604.06174, "gradient checkpointing"). Memory for the time of one more forward pass; the gradients are the same bit
 * for bit.
 *
 * `f` must compute the same both times. `weights` are all tensors beside x that it reads and that may have a gradient.
 */
export function recomputed(f: (x: Tensor) => Tensor, x: Tensor, weights: readonly Tensor[]): Tensor {
  const run = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const save = inputs.at(-1) as GradSaveFunc;
    save([x]);
    return {
      value: f(x),
      gradFunc: (dy: Tensor, [kept]: Tensor[]) => gradientsOf(f, kept!, weights, dy),
    };
  });
  return run(x, ...weights);
}

function gradientsOf(f: (x: Tensor) => Tensor, x: Tensor, weights: readonly Tensor[], dy: Tensor): Tensor[] {
  const { state } = engine();
  // The tape of the pass that is being differentiated, which a gradient inside it would end.
  const tape = state.activeTape;
  try {
    const xs = [x, ...weights];
    const { value, gradients } = valueAndGradients(() => f(x), xs, dy);
    value.dispose();
    return gradients.map((gradient, i) => gradient ?? zerosLike(xs[i]!));
  } finally {
    state.activeTape = tape;
  }
}
