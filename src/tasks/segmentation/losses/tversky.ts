import { add, div, maximum, mul, sub, sum } from '../../../base/tfjs-core.js';
import { type Loss } from '../../../model/loss.js';
import { overlap } from './loss.js';
import { presence } from './soft-scores.js';

/**
 * 1 − mean over the classes that occur of I / (I + α·FP + β·FN) (Salehi et al. 2017, arXiv:1706.05721, eq. 3).
 *
 * α = `falsePositives` (default 0.3) and β = `falseNegatives` (0.7) say which error costs more; both 0.5 is Dice.
 */
export function tversky({
  falsePositives = 0.3,
  falseNegatives = 0.7,
}: {
  readonly falsePositives?: number;
  readonly falseNegatives?: number;
} = {}): Loss {
  return (logits, masks) => {
    const { intersection, predicted, target } = overlap(logits, masks);
    const wrong = mul(falsePositives, sub(predicted, intersection));
    const missed = mul(falseNegatives, sub(target, intersection));
    const index = div(add(intersection, 1e-6), add(add(intersection, add(wrong, missed)), 1e-6));
    const present = presence({ target });
    return div(sum(mul(present, sub(1, index))), maximum(sum(present), 1));
  };
}
