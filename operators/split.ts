import { map, type OperatorFunction } from 'rxjs';
import { type SplitOptions, splitPairs } from '../src/data/split.js';
import type { Item, Splits } from '../src/data/types.js';

/**
 * Divides a list of items into train, validation and test: `splitPairs` as an operator. Its `percentage` is the
 * seeded subset of a data-percentage study.
 *
 * @example
 * imageMaskPairs(imageDir, maskDir).pipe(split({ seed: 42, percentage: 0.25, validation: 0.2, test: 0.1 }));
 * imageFolders(imageDir).pipe(split({ seed: 42, by: ({ className }) => className }));
 */
export function split<I extends Item>(options: SplitOptions<I>): OperatorFunction<readonly I[], Splits<I>> {
  return map((pairs) => splitPairs(pairs, options));
}
