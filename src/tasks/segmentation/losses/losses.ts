import { named } from '../../../base/named.js';
import type { Loss } from '../../../model/loss.js';
import { crossEntropy } from './cross-entropy.js';
import { diceCrossEntropy } from './dice-cross-entropy.js';
import { focal } from './focal.js';
import { logCoshDice } from './log-cosh-dice.js';
import { lovaszSoftmax } from './lovasz-softmax.js';
import { tversky } from './tversky.js';
import type { WeightOption } from './weighted-cross-entropy.js';

const TABLE = {
  'log-cosh-dice': (): Loss => logCoshDice(),
  'log-cosh-dice-upstream': (): Loss => logCoshDice({ absent: 'count' }),
  'cross-entropy': ({ weights }: WeightOption = {}): Loss => crossEntropy({ weights }),
  'dice-cross-entropy': ({ weights }: WeightOption = {}): Loss => diceCrossEntropy({ weights }),
  focal: ({ weights }: WeightOption = {}): Loss => focal({ weights }),
  tversky: (): Loss => tversky(),
  'lovasz-softmax': (): Loss => lovaszSoftmax(),
} satisfies Record<string, (options?: WeightOption) => Loss>;

/**
 * The losses by name, each with its default settings; those that take weights of classes are given them
 * (`--class-weights`).
 *
 * @example
 * losses.register('sharp-focal', () => focal({ gamma: 4 }));
 * losses.make('sharp-focal');
 */
export const losses = named<keyof typeof TABLE, (options?: WeightOption) => Loss>('loss', TABLE);
