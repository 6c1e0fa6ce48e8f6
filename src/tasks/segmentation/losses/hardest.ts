import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor } from '../../../base/tfjs-core.js';

/**
 * The weight of each pixel in a mean over the hardest `share` of those that count: 1 for the ⌈share·count⌉ with the
 * largest losses, 0 for the others. At the smallest of these losses, equal ones share the places that are left.
 *
 * A constant of the gradient, found in JavaScript from a synchronous read, as of `lovaszSoftmax`.
 *
 * @param losses [pixels, 1]
 * @param valid 1 where a pixel counts, else 0: [pixels, 1]
 */
export function hardest(losses: Tensor, valid: Tensor, share: number): Tensor {
  const [values, counts] = [losses.dataSync(), valid.dataSync()];
  const own = Float32Array.from(values).filter((_, i) => counts[i]! > 0);
  const count = Math.ceil(share * own.length);
  const threshold = own.sort()[own.length - count] ?? Number.POSITIVE_INFINITY;
  const harder = own.reduce((n, value) => n + (value > threshold ? 1 : 0), 0);
  const equal = own.reduce((n, value) => n + (value === threshold ? 1 : 0), 0);
  const chosen = Float32Array.from(values, (value, i) => {
    if (counts[i] === 0 || value < threshold) return 0;
    return value > threshold ? 1 : (count - harder) / equal;
  });
  return tensor(chosen, losses.shape);
}
