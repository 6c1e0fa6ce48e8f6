import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  cast,
  expandDims,
  mul,
  notEqual,
  oneHot,
  reshape,
  slice,
  softmax,
  stack,
  sub,
  sum,
} from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectCount, expectShape } from '../shapes.js';

/** The class id that is ignored. */
const IGNORED = 255;

const run = defineOp<{ logits: Tensor; masks: Tensor }, object>({
  name: 'Overlap',
  plain: ({ logits, masks }) => {
    const { p, t } = distributions(logits, masks);
    return stack([sum(mul(p, t), 0), sum(p, 0), sum(t, 0)]);
  },
  saves: { inputs: ['logits', 'masks'] },
  gradient: (dy, [logits, masks]) => ({
    logits: () => runGradient({ dy, logits: logits!, masks: masks! }, {})[0]!,
    masks: () => {
      throw new Error('masks have no gradient');
    },
  }),
});

const runGradient = defineOp<{ dy: Tensor; logits: Tensor; masks: Tensor }, object>({
  name: 'OverlapGrad',
  plain: ({ dy, logits, masks }) => {
    const classes = logits.shape.at(-1)!;
    const { p, t } = distributions(logits, masks);
    const g = add(mul(t, slice(dy, [0, 0], [1, classes])), slice(dy, [1, 0], [1, classes]));
    const gp = mul(g, p);
    return reshape(sub(gp, mul(p, sum(gp, -1, true))), logits.shape);
  },
});

/**
 * How predicted and true regions overlap, class by class: rows Σp·t, Σp and Σt over all pixels that are not
 * ignored, with p = softmax(logits) and t one-hot. All Dice-like losses and scores are functions of these.
 *
 * Shapes: logits [..., classes], masks int32 [...], 255 = ignored; result [3, classes]. With g the gradient by p,
 * g = t·dI + dP, the gradient by the logits is p∘(g − Σ p∘g).
 */
export function overlap(logits: Tensor, masks: Tensor): Tensor {
  expectMasks('overlap', logits, masks);
  return run({ logits, masks }, {})[0]!;
}

/** Refuses masks that do not have an id for each pixel of the logits. */
export function expectMasks(operation: string, logits: Tensor, masks: Tensor): void {
  expectCount(operation, 'the classes of the logits', logits.shape.at(-1) ?? 0);
  expectShape(operation, 'logits', logits, logits.shape);
  expectShape(operation, 'masks', masks, logits.shape.slice(0, -1), 'int32');
}

/** p and t, pixels × classes, zero at ignored pixels. */
export function distributions(logits: Tensor, masks: Tensor): { p: Tensor; t: Tensor; valid: Tensor } {
  const classes = logits.shape.at(-1)!;
  const flat = reshape(masks, [-1]);
  const valid = cast(expandDims(notEqual(flat, IGNORED), 1), 'float32');
  const p = mul(softmax(reshape(logits, [-1, classes])), valid);
  return { p, t: mul(cast(oneHot(flat as never, classes), 'float32'), valid), valid };
}
