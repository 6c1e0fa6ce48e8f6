import { add, mul } from '../../../base/tfjs-core.js';
import type { Loss } from '../../../model/loss.js';
import { crossEntropy } from './cross-entropy.js';
import { dice } from './dice.js';
import type { CrossEntropyOptions } from './pixel-cross-entropy.js';

/**
 * Soft Dice loss + cross-entropy, the compound loss of nnU-Net (Isensee et al. 2021): 1 − mean Dice over the
 * classes that occur, plus `weight` times the cross-entropy, which takes the other options.
 */
export function diceCrossEntropy({
  weight = 1,
  ...options
}: { readonly weight?: number } & CrossEntropyOptions = {}): Loss {
  const [overlap, entropy] = [dice(), crossEntropy(options)];
  return (logits, masks) => add(overlap(logits, masks), mul(weight, entropy(logits, masks)));
}
