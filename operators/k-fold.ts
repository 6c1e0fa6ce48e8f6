import { concatMap, type OperatorFunction } from 'rxjs';
import { type KFoldOptions, kFolds } from '../src/data/k-fold.js';
import type { Item, Splits } from '../src/data/types.js';

/**
 * Emits the folds of a cross-validation one after another: `kFolds` as an operator.
 *
 * @see split for one division into train, validation and test
 * @example
 * imageMaskPairs(imageDir, maskDir).pipe(
 *   kFold({ folds: 5, seed: 42 }),
 *   concatMap((splits) => trainingRun(settings, { task: { ...task, splits } })),
 * );
 */
export function kFold<I extends Item>(options: KFoldOptions<I>): OperatorFunction<readonly I[], Splits<I>> {
  return concatMap((items) => kFolds(items, options));
}
