import { cast, greater, log1p, mul, notEqual, sinh, square, sub, sum } from '../../../base/tfjs-core.js';
import { IGNORE_INDEX } from '../../../data/types.js';
import type { Loss } from '../../../model/loss.js';
import { type AbsentOption, softScores } from './soft-scores.js';

/**
 * log cosh(1 − Σ w·dice), the soft Dice of `softScores`, inverse-frequency weights (Jadon 2020, arXiv:2006.14822,
 * § III-K, with the weights of Sudre et al. 2017).
 *
 * Written as ½·log1p(sinh²x), which keeps its digits where the loss is small.
 *
 * @example
 * new Training({ model, loss: logCoshDice(), optimizer: adamW(), learningRate: 1e-3, seed: 42 });
 */
export function logCoshDice(options: AbsentOption = {}): Loss {
  return (logits, masks) => {
    const x = sub(1, softScores(logits, masks, options).dice);
    const any = cast(greater(sum(cast(notEqual(masks, IGNORE_INDEX), 'float32')), 0), 'float32');
    return mul(any, mul(0.5, log1p(square(sinh(x)))));
  };
}
