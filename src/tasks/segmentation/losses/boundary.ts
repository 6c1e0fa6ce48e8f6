import type { Tensor } from '@tensorflow/tfjs-core';
import { div, mul, softmax, sum, tensor2d } from '../../../base/tfjs-core.js';
import { IGNORE_INDEX } from '../../../data/types.js';
import type { Loss } from '../../../model/loss.js';
import { distanceTransform } from '../../../numeric/distance-transform.js';
import { checkClasses } from './check-classes.js';

/**
 * The mean over pixels and classes of p·φ, with p = softmax(logits) and φ the signed distance to the boundary of the class in
 * its picture: what is predicted far outside costs most (Kervadec et al. 2019, arXiv:1812.07032, eq. 5).
 *
 * φ is in pixels: the distance to the class outside it, and 1 − the distance to what is not the class inside; 0 where a
 * picture lacks the class or has no other. The loss is below 0 where predictions are right, and too flat to train alone: add a
 * small share of it to another loss, such as `dice+cross-entropy+0.01*boundary`. Distances are computed in JavaScript.
 */
export function boundary(): Loss {
  return (logits, masks) => {
    checkClasses(logits, masks);
    const classes = logits.shape.at(-1)!;
    const { distances, counted } = signedDistances(masks, classes);
    const p = softmax(logits.reshape([masks.size, classes]));
    return div(sum(mul(p, distances)), Math.max(counted * classes, 1));
  };
}

/** φ of masks [batch, height, width], as rows of pixels [pixels, classes], and the number of pixels that count. */
function signedDistances(masks: Tensor, classes: number): { distances: Tensor; counted: number } {
  const [batch, height, width] = masks.shape as [number, number, number];
  const ids = masks.dataSync();
  const rows = new Float32Array(ids.length * classes);
  const size = height * width;
  for (let picture = 0; picture < batch; picture++)
    for (let k = 0; k < classes; k++) {
      const own = Uint8Array.from({ length: size }, (_, i) => (ids[picture * size + i] === k ? 1 : 0));
      if (!own.includes(1) || !own.includes(0)) continue;
      const outside = distanceTransform(own, width, height);
      const inside = distanceTransform(
        own.map((one) => 1 - one),
        width,
        height,
      );
      own.forEach((one, i) => {
        if (ids[picture * size + i] === IGNORE_INDEX) return;
        rows[(picture * size + i) * classes + k] = one ? 1 - inside[i]! : outside[i]!;
      });
    }
  let counted = 0;
  for (const id of ids) if (id !== IGNORE_INDEX) counted++;
  return { distances: tensor2d(rows, [ids.length, classes]), counted };
}
