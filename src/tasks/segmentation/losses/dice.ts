import type { Loss } from '../../../model/loss.js';
import { tversky } from './tversky.js';

/** 1 − mean over the classes that occur of the soft Dice of the batch (Milletari et al. 2016, arXiv:1606.04797, without squares). */
export function dice(): Loss {
  return tversky({ falsePositives: 0.5, falseNegatives: 0.5 });
}
