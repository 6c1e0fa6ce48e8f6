import { named } from '../../../base/named.js';
import type { Loss } from '../../../model/loss.js';
import { crossEntropy } from './cross-entropy.js';
import { diceCrossEntropy } from './dice-cross-entropy.js';
import { focal } from './focal.js';
import { logCoshDice } from './log-cosh-dice.js';
import { lovaszSoftmax } from './lovasz-softmax.js';
import { tversky } from './tversky.js';

/**
 * The losses by name, each with its default settings.
 *
 * @example
 * losses.register('sharp-focal', () => focal({ gamma: 4 }));
 * losses.make('sharp-focal');
 */
export const losses = named('loss', {
  'log-cosh-dice': (): Loss => logCoshDice(),
  'log-cosh-dice-upstream': (): Loss => logCoshDice({ absent: 'count' }),
  'cross-entropy': (): Loss => crossEntropy(),
  'dice-cross-entropy': (): Loss => diceCrossEntropy(),
  focal: (): Loss => focal(),
  tversky: (): Loss => tversky(),
  'lovasz-softmax': (): Loss => lovaszSoftmax(),
});
