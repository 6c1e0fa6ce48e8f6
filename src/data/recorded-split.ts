import { UserError } from '../base/errors.js';
import type { Item, Splits } from './types.js';

/**
 * The stems of each split, in order: a checkpoint records them, so that no picture changes its split later.
 */
export type SplitStems = Readonly<Record<'train' | 'validation' | 'test' | 'unused', readonly string[]>>;

export function stemsOf({ train, validation, test, unused = [] }: Splits<Item>): SplitStems {
  const stems = (items: readonly Item[]) => items.map(({ stem }) => stem);
  return { train: stems(train), validation: stems(validation), test: stems(test), unused: stems(unused) };
}

/** The stems of pairs that are not in a record: they were added later. */
export function addedTo(record: SplitStems, pairs: readonly Item[]): string[] {
  const recordedStems = new Set(Object.values(record).flat());
  return pairs.map(({ stem }) => stem).filter((stem) => !recordedStems.has(stem));
}

/**
 * Divides pairs as a record does, in its order; pairs that are not in the record are left out. Those that it does not
 * know are on none.
 */
export function splitAs<I extends Item>(record: SplitStems, pairs: readonly I[]): Splits<I> {
  const unusedStems = new Set(record.unused);
  return {
    train: sideAs(record, 'train', pairs),
    validation: sideAs(record, 'validation', pairs),
    test: sideAs(record, 'test', pairs),
    unused: pairs.filter(({ stem }) => unusedStems.has(stem)),
  };
}

/**
 * The pairs of one split of a record, in its order.
 *
 * @throws UserError where one of them is not there.
 */
export function sideAs<I extends Item>(
  record: SplitStems,
  side: 'train' | 'validation' | 'test',
  pairs: readonly I[],
): I[] {
  const byStem = new Map(pairs.map((pair) => [pair.stem, pair]));
  const missing = record[side].filter((stem) => !byStem.has(stem));
  if (missing.length === 0) return record[side].map((stem) => byStem.get(stem)!);
  throw new UserError(
    `expected the pictures that the run began with, but ${few(missing)} of its ${side} split ${missing.length > 1 ? 'are' : 'is'} gone; put them back, see --image-dir, or train another run`,
    { gone: missing },
  );
}

/** The first few names of a list. */
export function few(names: readonly string[]): string {
  const list = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${list} and ${names.length - 3} more` : list;
}
