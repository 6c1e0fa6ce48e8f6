import type { Tensor } from '@tensorflow/tfjs-core';
import { engine } from '../base/tfjs-core.js';

/** Computes a tensor that is a constant to every gradient (PyTorch's `detach`). */
export function frozen(compute: () => Tensor): Tensor {
  const state = (engine() as unknown as { state: { gradientDepth: number } }).state;
  const depth = state.gradientDepth;
  state.gradientDepth = 0;
  try {
    return compute();
  } finally {
    state.gradientDepth = depth;
  }
}
