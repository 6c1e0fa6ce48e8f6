import { named } from '../../../base/named.js';
import type { Loss } from '../../../model/loss.js';
import { boundary } from './boundary.js';
import { crossEntropy } from './cross-entropy.js';
import { dice } from './dice.js';
import { diceCrossEntropy } from './dice-cross-entropy.js';
import { focal } from './focal.js';
import { logCoshDice } from './log-cosh-dice.js';
import { lovaszSoftmax } from './lovasz-softmax.js';
import type { CrossEntropyOptions } from './pixel-cross-entropy.js';
import { setPrediction } from './set-prediction.js';
import { tversky } from './tversky.js';

const TABLE = {
  'log-cosh-dice': (): Loss => logCoshDice(),
  'log-cosh-dice-upstream': (): Loss => logCoshDice({ absent: 'count' }),
  'cross-entropy': ({ weights, smoothing, hardest }: CrossEntropyOptions = {}): Loss =>
    crossEntropy({ weights, smoothing, hardest }),
  'dice-cross-entropy': ({ weights, smoothing, hardest }: CrossEntropyOptions = {}): Loss =>
    diceCrossEntropy({ weights, smoothing, hardest }),
  focal: ({ weights }: CrossEntropyOptions = {}): Loss => focal({ weights }),
  tversky: (): Loss => tversky(),
  'lovasz-softmax': (): Loss => lovaszSoftmax(),
  dice: (): Loss => dice(),
  boundary: (): Loss => boundary(),
  set: (): Loss => setPrediction(),
} satisfies Record<string, (options?: CrossEntropyOptions) => Loss>;

/**
 * The losses by name, each with its default settings; those that read them are given the weights of classes
 * (`--class-weights`), `--label-smoothing` and `--ohem`.
 *
 * @example
 * losses.register('sharp-focal', () => focal({ gamma: 4 }));
 * losses.make('sharp-focal');
 */
export const losses = named<keyof typeof TABLE, (options?: CrossEntropyOptions) => Loss>('loss', TABLE);
