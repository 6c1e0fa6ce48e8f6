import { add, mul } from '../../../base/tfjs-core.js';
import type { Loss } from '../../../model/loss.js';
import { crossEntropy } from './cross-entropy.js';
import { tversky } from './tversky.js';
import type { WeightOption } from './weighted-cross-entropy.js';

/**
 * Soft Dice loss + cross-entropy, the compound loss of nnU-Net (Isensee et al. 2021): 1 − mean Dice over the
 * classes that occur, plus `weight` times the cross-entropy, in which classes may
 * have `weights`.
 */
export function diceCrossEntropy({
  weight = 1,
  weights,
}: { readonly weight?: number } & WeightOption = {}): Loss {
  const dice = tversky({ falsePositives: 0.5, falseNegatives: 0.5 });
  const ce = crossEntropy({ weights });
  return (logits, masks) => add(dice(logits, masks), mul(weight, ce(logits, masks)));
}
