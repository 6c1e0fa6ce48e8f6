import type { Tensor2D } from '@tensorflow/tfjs-core';
import { abs, div, mul, softmax, sub, sum, tensor2d } from '../../../base/tfjs-core.js';
import { type Loss } from '../../../model/loss.js';
import { pixels } from './loss.js';

/**
 * The Lovász extension of the Jaccard loss, averaged over the classes that occur (Berman et al. 2018,
 * arXiv:1705.08790, eq. 8 and alg. 1): optimises IoU itself.
 *
 * The errors m = |t − p| of a class are sorted, largest first; the loss is Σ m·g with g the growth of the Jaccard
 * loss at each rank. The order is found in JavaScript, from a synchronous read: slower than the other losses, and
 * not for engines that can only read asynchronously.
 */
export function lovaszSoftmax(): Loss {
  return (logits, masks) => {
    const { logits: rows, target, valid } = pixels(logits, masks);
    const errors = mul(abs(sub(target, softmax(rows))), valid);
    const { growth, present } = jaccardGrowth(errors as Tensor2D, target);
    return div(sum(mul(errors, growth)), Math.max(present, 1));
  };
}

/** g for every pixel and class that occurs, else 0: a constant of the gradient. */
function jaccardGrowth(errors: Tensor2D, target: Tensor2D): { growth: Tensor2D; present: number } {
  const [count, classes] = errors.shape;
  const [m, t] = [errors.dataSync(), target.dataSync()];
  const growth = new Float32Array(count * classes);
  let present = 0;
  for (let c = 0; c < classes; c++) {
    let total = 0;
    for (let i = 0; i < count; i++) total += t[i * classes + c]!;
    if (total === 0) continue;
    present++;
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => m[b * classes + c]! - m[a * classes + c]!);
    let hits = 0;
    let last = 0;
    for (let rank = 0; rank < count; rank++) {
      const at = order[rank]! * classes + c;
      hits += t[at]!;
      const jaccard = 1 - (total - hits) / (total + rank + 1 - hits);
      growth[at] = jaccard - last;
      last = jaccard;
    }
  }
  return { growth: tensor2d(growth, [count, classes]), present };
}
