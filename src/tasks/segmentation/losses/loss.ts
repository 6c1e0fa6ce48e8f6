import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { cast, notEqual, oneHot, reshape, unstack } from '../../../base/tfjs-core.js';
import { IGNORE_INDEX } from '../../../data/types.js';
import { overlap as regionOverlap } from '../../../engine/ops/overlap.js';
import { checkClasses } from './check-classes.js';

/** Logits and masks as rows of pixels: [pixels, classes]. */
export interface Pixels {
  readonly logits: Tensor2D;
  /** One-hot targets; a row of zeros where the pixel is ignored. */
  readonly target: Tensor2D;
  /** 1 where the pixel counts, else 0: [pixels, 1]. */
  readonly valid: Tensor2D;
}

export function pixels(logits: Tensor, masks: Tensor): Pixels {
  checkClasses(logits, masks);
  const classes = logits.shape.at(-1)!;
  const flat = reshape(masks, [masks.size]);
  return {
    logits: reshape(logits, [masks.size, classes]),
    target: cast(oneHot(flat as Tensor1D, classes), 'float32') as Tensor2D,
    valid: reshape(cast(notEqual(flat, IGNORE_INDEX), 'float32'), [masks.size, 1]),
  };
}

/** Per class, over all pixels that count; each [classes]. */
export interface Overlap {
  /** Σ p·t. */
  readonly intersection: Tensor1D;
  /** Σ p. */
  readonly predicted: Tensor1D;
  /** Σ t: the class's pixels. */
  readonly target: Tensor1D;
}

/** The soft overlap of softmax(logits) and the target: the basis of the Dice family. */
export function overlap(logits: Tensor, masks: Tensor): Overlap {
  checkClasses(logits, masks);
  const [intersection, predicted, target] = unstack(regionOverlap(logits, masks)) as Tensor1D[];
  return { intersection: intersection!, predicted: predicted!, target: target! };
}
