import { named } from '../../../base/named.js';
import { crossEntropy } from './cross-entropy.js';
import { diceCrossEntropy } from './dice-cross-entropy.js';
import { focal } from './focal.js';
import { logCoshDice } from './log-cosh-dice.js';
import type { Loss } from './loss.js';
import { lovaszSoftmax } from './lovasz-softmax.js';
import { tversky } from './tversky.js';

/** The losses by the names that configurations use, with their default settings. */
export const LOSSES = {
  'log-cosh-dice': () => logCoshDice(),
  'log-cosh-dice-upstream': () => logCoshDice({ absent: 'count' }),
  'cross-entropy': () => crossEntropy(),
  'dice-cross-entropy': () => diceCrossEntropy(),
  focal: () => focal(),
  tversky: () => tversky(),
  'lovasz-softmax': () => lovaszSoftmax(),
} as const satisfies Record<string, () => Loss>;

export type LossName = keyof typeof LOSSES;

export const LOSS_NAMES = Object.keys(LOSSES) as [LossName, ...LossName[]];

/** @throws UserError that names the nearest loss. */
export function lossNamed(name: string): Loss {
  return named('loss', LOSSES, name)();
}
