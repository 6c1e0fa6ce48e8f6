import { UserError } from '../base/errors.js';
import { type GroupOf, grouped } from './groups.js';
import { shuffled } from './shuffled.js';
import type { Item, Splits } from './types.js';

/** Options of `kFolds`. */
export interface KFoldOptions<I extends Item = Item> {
  /** The number of folds, from 2 up. */
  readonly folds: number;
  /** Seeds the shuffle. */
  readonly seed: number;
  /** Gives each fold its share of each class. Default: all are one. */
  readonly by?: ((item: I) => string) | undefined;
  /** Keeps what belongs together in one fold. Default: each item by itself. */
  readonly groups?: GroupOf<I> | undefined;
}

/**
 * Folds for cross-validation: each item validates in exactly one of them and trains in the others; none tests.
 *
 * Items, or whole groups of them, are shuffled as CPython shuffles, then dealt class by class, each to the smallest
 * fold so far. A group counts to the class of its first item.
 *
 * @throws UserError for fewer items or groups than folds
 * @example
 * const folds = kFolds(pairs, { folds: 5, seed: 42 });
 * for (const { train, validation } of folds) console.log(train.length, validation.length);
 */
export function kFolds<I extends Item>(items: readonly I[], options: KFoldOptions<I>): Splits<I>[] {
  const { folds, seed, by = () => '', groups = ({ stem }) => stem } = options;
  const units = [...grouped(items, groups).values()];
  if (!Number.isInteger(folds) || folds < 2 || folds > units.length)
    throw new UserError(
      `folds: expected a number from 2 to the ${units.length} ${options.groups ? 'groups' : 'items'}, got ${folds}`,
      { folds },
    );
  const validation: I[][] = Array.from({ length: folds }, () => []);
  for (const stratum of grouped(units, ([first]) => by(first!)).values())
    for (const unit of shuffled(stratum, seed))
      validation.reduce((least, fold) => (fold.length < least.length ? fold : least)).push(...unit);
  return validation.map((fold) => {
    const own = new Set(fold);
    return { train: items.filter((item) => !own.has(item)), validation: fold, test: [] };
  });
}
