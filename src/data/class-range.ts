import type { Tensor } from '@tensorflow/tfjs-core';
import { IGNORE_INDEX } from './types.js';

/** The classes that masks name, beside `IGNORE_INDEX`; of none, an empty range; NaN where one of them is. */
export interface ClassRange {
  readonly smallest: number;
  readonly largest: number;
}

/** The range of classes of which each is in one of the ranges. */
export function joinedRange(ranges: readonly ClassRange[]): ClassRange {
  return {
    smallest: Math.min(...ranges.map(({ smallest }) => smallest)),
    largest: Math.max(...ranges.map(({ largest }) => largest)),
  };
}

/** Ranges by what holds the numbers of masks, which views of one tensor share. */
const ranges = new WeakMap<object, ClassRange>();

/**
 * The range of the classes of masks. It is known of those that `withClassRange` made, and else read once from the tensor,
 * which waits for all that the engine has still to do.
 */
export function classRange(masks: Tensor): ClassRange {
  const known = ranges.get(masks.dataId);
  if (known) return known;
  const range = rangeOf(masks.dataSync());
  ranges.set(masks.dataId, range);
  return range;
}

/** The masks that `make` makes of ids, with their range, or the ids' own; `make` may take the memory of the ids over. */
export function withClassRange<M extends Tensor>(of: ArrayLike<number> | ClassRange, make: () => M): M {
  const range = 'smallest' in of ? of : rangeOf(of);
  const masks = make();
  ranges.set(masks.dataId, range);
  return masks;
}

/** The range of the classes of ids. */
export function rangeOf(ids: ArrayLike<number>): ClassRange {
  let [smallest, largest] = [Infinity, -Infinity];
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id === IGNORE_INDEX) continue;
    if (Number.isNaN(id)) return { smallest: id, largest: id };
    if (id < smallest) smallest = id;
    if (id > largest) largest = id;
  }
  return { smallest, largest };
}
