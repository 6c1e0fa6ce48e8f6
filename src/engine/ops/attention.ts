import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../base/errors.js';
import { exp, logSumExp, matMul, mul, reshape, sub, sum, transpose } from '../../base/tfjs-core.js';
import { defineOp } from '../op.js';
import { expectCount, expectShape } from '../shapes.js';

interface Attrs {
  readonly heads: number;
}

const run = defineOp<{ q: Tensor; k: Tensor; v: Tensor }, Attrs>({
  name: 'Attention',
  plain: ({ q, k, v }, { heads }) => {
    const scores = scoresOf(q, k, heads);
    const logSum = logSumExp(scores, -1, true);
    return [join(matMul(exp(sub(scores, logSum)), split(v, heads))), logSum];
  },
  saves: { inputs: ['q', 'k', 'v'], outputs: [false, true] },
  gradient: (dy, [q, k, v, logSum], attrs) => {
    const grads = runGradient({ dy, q: q!, k: k!, v: v!, logSum: logSum! }, attrs);
    return { q: () => grads[0]!, k: () => grads[1]!, v: () => grads[2]! };
  },
});

const runGradient = defineOp<{ dy: Tensor; q: Tensor; k: Tensor; v: Tensor; logSum: Tensor }, Attrs>({
  name: 'AttentionGrad',
  plain: ({ dy, q, k, v, logSum }, { heads }) => {
    const weights = exp(sub(scoresOf(q, k, heads), logSum));
    const d = split(dy, heads);
    const dWeights = matMul(d, split(v, heads), false, true);
    const weighted = mul(dWeights, weights);
    const dScores = mul(sub(weighted, mul(weights, sum(weighted, -1, true))), scaleOf(q, heads));
    return [
      join(matMul(dScores, split(k, heads))),
      join(matMul(dScores, split(q, heads), true, false)),
      join(matMul(weights, d, true, false)),
    ];
  },
});

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017, eq. 1): softmax(q·kᵀ/√(d/heads))·v, head by head.
 *
 * Shapes: q, k, v and the result [batch, tokens, d]. With P the attention weights, dS = P∘(dP − Σ P∘dP) over a row.
 * P is not kept for the gradient but computed anew from log Σ eˢ of each row (Dao et al. 2022, "FlashAttention", § 3).
 *
 * @throws UserError for heads that do not divide d.
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, heads: number): Tensor {
  expectShape('attention', 'q', q, [-1, -1, -1]);
  expectShape('attention', 'k', k, q.shape);
  expectShape('attention', 'v', v, q.shape);
  expectCount('attention', 'heads', heads);
  const width = q.shape[2]!;
  if (width % heads !== 0)
    throw new UserError(`attention: expected heads that divide the width ${width}, got ${heads}`, {
      width,
      heads,
    });
  return run({ q, k, v }, { heads })[0]!;
}

/** [batch, heads, tokens, tokens]. */
function scoresOf(q: Tensor, k: Tensor, heads: number): Tensor {
  return matMul(split(mul(q, scaleOf(q, heads)), heads), split(k, heads), false, true);
}

function scaleOf(q: Tensor, heads: number): number {
  return 1 / Math.sqrt(q.shape[2]! / heads);
}

/** [batch, tokens, d] → [batch, heads, tokens, d/heads]. */
function split(x: Tensor, heads: number): Tensor {
  const [batch, tokens, d] = x.shape as [number, number, number];
  return transpose(reshape(x, [batch, tokens, heads, d / heads]), [0, 2, 1, 3]);
}

/** The inverse of `split`. */
function join(parts: Tensor): Tensor {
  const [batch, heads, tokens, size] = parts.shape as [number, number, number, number];
  return reshape(transpose(parts, [0, 2, 1, 3]), [batch, tokens, heads * size]);
}
