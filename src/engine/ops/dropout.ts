import type { Tensor } from '@tensorflow/tfjs-core';
import { mul, tensor } from '../../base/tfjs-core.js';

/**
 * Inverted dropout (Srivastava et al. 2014): zero with probability `rate`, the rest scaled by 1/(1 − rate).
 *
 * Does nothing without `random`, that is, when the model does not train. With `shape`, one draw serves a whole
 * broadcast axis: [batch, 1, 1, channels] is PyTorch's Dropout2d on [batch, h, w, channels].
 */
export function dropout(
  x: Tensor,
  rate: number,
  random: (() => number) | undefined,
  shape: readonly number[] = x.shape,
): Tensor {
  if (rate === 0 || !random) return x;
  const size = shape.reduce((a, b) => a * b, 1);
  const keep = Float32Array.from({ length: size }, () => (random() < rate ? 0 : 1 / (1 - rate)));
  return mul(x, tensor(keep, [...shape]));
}
