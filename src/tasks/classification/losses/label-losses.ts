import type { Tensor2D } from '@tensorflow/tfjs-core';
import { named } from '../../../base/named.js';
import type { Loss } from '../../../model/loss.js';
import type { Labels } from '../label-tensor.js';
import { type LabelCrossEntropyOptions, labelCrossEntropy } from './label-cross-entropy.js';

/**
 * The losses of a classification by name: logits [batch, classes] and labels [batch], or shares [batch,
 * classes] of mixed pictures, to a scalar. Each is given what the
 * flags say, such as `smoothing` (`--label-smoothing`), and takes what it knows of it.
 *
 * @example
 * labelLosses.register('smooth', () => labelCrossEntropy({ smoothing: 0.2 }));
 */
export const labelLosses = named('loss', {
  'cross-entropy': (options: LabelCrossEntropyOptions): Loss<Tensor2D, Labels> => labelCrossEntropy(options),
});
