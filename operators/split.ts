import { map, type OperatorFunction } from 'rxjs';
import { type SplitOptions, splitPairs } from '../src/data/split.js';
import type { Pair, Splits } from '../src/data/types.js';

/**
 * Divides a list of pairs into train, validation and test: `splitPairs` as an operator. Its `percentage` is the
 * seeded subset of a data-percentage study.
 *
 * @example
 * imageMaskPairs(imageDir, maskDir).pipe(split({ seed: 42, percentage: 0.25, validation: 0.2, test: 0.1 }));
 */
export function split(options: SplitOptions): OperatorFunction<readonly Pair[], Splits> {
  return map((pairs) => splitPairs(pairs, options));
}
