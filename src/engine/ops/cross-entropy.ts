import { div, log, maximum, mul, neg, reshape, sub, sum, type Tensor } from '@tensorflow/tfjs-core';
import { defineOp } from '../op.js';
import { distributions } from './overlap.js';

const run = defineOp<{ logits: Tensor; masks: Tensor }, object>({
  name: 'CrossEntropy',
  plain: ({ logits, masks }) => {
    const { p, t, valid } = distributions(logits, masks);
    // An ignored pixel has p = t = 0; the floor keeps its logarithm finite.
    return div(neg(sum(mul(t, log(maximum(p, 1e-30))))), maximum(sum(valid), 1));
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
  return run({ logits, masks }, {})[0]!;
}
