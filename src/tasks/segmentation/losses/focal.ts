import {
  clipByValue,
  div,
  exp,
  logSoftmax,
  maximum,
  mul,
  neg,
  pow,
  sub,
  sum,
} from '../../../base/tfjs-core.js';
import { type Loss } from '../../../model/loss.js';
import { pixels } from './loss.js';
import { pixelWeights, TINY, type WeightOption } from './pixel-cross-entropy.js';

/**
 * −(1 − p)^γ · log p of the right class, averaged over the pixels that count (Lin et al. 2017, arXiv:1708.02002,
 * eq. 4 without α): well-classified pixels weigh less. γ = `gamma`, default 2; 0 is cross-entropy. `weights` of classes are
 * its α (eq. 5), divided by their sum over the pixels as in `crossEntropy`.
 */
export function focal({ gamma = 2, weights }: { readonly gamma?: number } & WeightOption = {}): Loss {
  return (logits, masks) => {
    const { logits: rows, target, valid } = pixels(logits, masks);
    const logP = sum(mul(logSoftmax(rows), target), 1, true);
    // Kept off 0, where the derivative of a power below 1 is infinite.
    const factor = pow(clipByValue(sub(1, exp(logP)), 1e-7, 1), gamma);
    if (!weights) return div(neg(sum(mul(mul(factor, logP), valid))), maximum(sum(valid), 1));
    const weight = pixelWeights(target, weights);
    return div(neg(sum(mul(mul(factor, logP), weight))), maximum(sum(weight), TINY));
  };
}
