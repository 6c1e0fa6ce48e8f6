import { UserError } from '../base/errors.js';
import { few } from './recorded-split.js';
import type { Item, Splits } from './types.js';

/**
 * Refuses splits that share an item.
 *
 * @throws UserError naming the two splits and the items.
 */
export function checkOverlap(splits: Splits<Item>): void {
  const { train, validation, test } = splits;
  const sideOf = new Map<string, string>();
  for (const [side, items] of Object.entries({ train, validation, test })) {
    const shared = items.filter(({ stem }) => (sideOf.get(stem) ?? side) !== side).map(({ stem }) => stem);
    if (shared.length > 0)
      throw new UserError(
        `splits: expected each picture in one of them, got ${few(shared)} in ${sideOf.get(shared[0]!)} and in ${side}; take ${shared.length > 1 ? 'them' : 'it'} out of one`,
        { stems: shared },
      );
    for (const { stem } of items) sideOf.set(stem, side);
  }
}
