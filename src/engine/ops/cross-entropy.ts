import type { Tensor } from '@tensorflow/tfjs-core';
import {
  div,
  greater,
  logSoftmax,
  maximum,
  mul,
  neg,
  reshape,
  sub,
  sum,
  where,
  zerosLike,
} from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { distributions, expectMasks } from './overlap.js';

const run = defineOp<{ logits: Tensor; masks: Tensor }, object>({
  name: 'CrossEntropy',
  plain: ({ logits, masks }) => {
    const { t, valid } = distributions(logits, masks);
    const logP = logSoftmax(reshape(logits, [-1, logits.shape.at(-1)!]));
    // Chosen and not multiplied: what is not the target may have the probability 0.
    return div(neg(sum(where(greater(t, 0), logP, zerosLike(logP)))), maximum(sum(valid), 1));
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
  name: 'CrossEntropyGrad',
  plain: ({ dy, logits, masks }) => {
    const { p, t, valid } = distributions(logits, masks);
    return reshape(mul(sub(p, t), div(dy, maximum(sum(valid), 1))), logits.shape);
  },
});

/**
 * The mean of −log softmax(logits)[class] over the pixels that are not ignored; its gradient is (p − t)/n.
 *
 * Shapes: logits [..., classes], masks int32 [...], 255 = ignored; a scalar.
 */
export function softmaxCrossEntropy(logits: Tensor, masks: Tensor): Tensor {
  expectMasks('crossEntropy', logits, masks);
  return run({ logits, masks }, {})[0]!;
}
