import { UserError } from '../base/errors.js';
import type { Order } from './order.js';
import { permutation } from './permutation.js';
import { lastAtMost } from './sequence.js';

/** Options of `interleave`. */
export interface InterleaveOptions {
  /** Shards that are read side by side. Default 16. */
  readonly cycle?: number;
  /** Items that are shuffled among themselves. Default 1024. */
  readonly buffer?: number;
}

/**
 * An order for items that lie in shards, near to the order in which they are stored: shards in an order of the epoch's own,
 * `cycle` of them side by side, item by item in turn, and each window of `buffer` items shuffled.
 *
 * A full shuffle reads everywhere at once, which disks and servers are slow at; this one reads within
 * `buffer / cycle` items of each open shard. Any place is found directly, so that a run resumes without replaying: the
 * buffer is a window that is filled and emptied whole. It needs memory for a number per shard, none per item.
 *
 * @param lengths the number of items of each shard, in the order of the items
 * @throws UserError where the lengths do not add up to the number of the items
 * @example
 * const items = Array.from({ length: 6 }, (_, i) => ({ stem: `${i}`, image: `${i}.png` }));
 * batchPlans(items, { batchSize: 2, seed: 1, shuffle: interleave([3, 3], { cycle: 2, buffer: 4 }) });
 */
export function interleave(lengths: readonly number[], options: InterleaveOptions = {}): Order {
  const { cycle = 16, buffer = 1024 } = options;
  for (const [name, value] of Object.entries({ cycle, buffer }))
    if (!Number.isInteger(value) || value < 1)
      throw new UserError(`${name}: expected an integer from 1 up, got ${value}`, { [name]: value });
  const starts = sums(lengths);
  return (count, seed, epoch) => {
    if (starts.at(-1) !== count)
      throw new UserError(
        `interleave: expected shards of ${count} items in all, got ${starts.at(-1)} in ${lengths.length}`,
      );
    const order = permutation(lengths.length, seed, 'shards', epoch);
    const shuffled = Array.from(lengths, (_, i) => order(i));
    const blocks = Array.from({ length: Math.ceil(lengths.length / cycle) }, (_, b) =>
      shuffled.slice(b * cycle, (b + 1) * cycle),
    );
    const blockStarts = sums(blocks.map((block) => block.reduce((sum, one) => sum + lengths[one]!, 0)));
    const roundsOf = remembered((block) => new Rounds(blocks[block]!.map((one) => lengths[one]!)));
    const windowOf = remembered((window) =>
      permutation(Math.min(buffer, count - window * buffer), seed, 'window', epoch, window),
    );
    return (place) => {
      const window = Math.floor(place / buffer);
      const stored = window * buffer + windowOf(window)(place - window * buffer);
      const block = lastAtMost(blockStarts, stored);
      const [member, own] = roundsOf(block).at(stored - blockStarts[block]!);
      return starts[blocks[block]![member]!]! + own;
    };
  };
}

/** Several shards of these lengths, item by item in turn; those that have ended are passed over. */
class Rounds {
  constructor(private readonly lengths: readonly number[]) {}

  /** Which of the shards it is at a place, and which of its items. */
  at(place: number): [member: number, own: number] {
    let [low, high] = [0, Math.max(...this.lengths)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#before(middle) <= place) low = middle;
      else high = middle - 1;
    }
    let turn = place - this.#before(low);
    const member = this.lengths.findIndex((length) => length > low && turn-- === 0);
    return [member, low];
  }

  /** The number of items in the first rounds. */
  #before(rounds: number): number {
    return this.lengths.reduce((sum, length) => sum + Math.min(length, rounds), 0);
  }
}

/** Zero, and the sum up to each number. */
function sums(numbers: readonly number[]): number[] {
  const result = [0];
  for (const number of numbers) result.push(result.at(-1)! + number);
  return result;
}

/** A function of a number that keeps its last results: neighbours ask for the same. */
function remembered<T>(make: (key: number) => T): (key: number) => T {
  const kept = new Map<number, T>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    if (kept.size >= 4) kept.delete(kept.keys().next().value!);
    const made = make(key);
    kept.set(key, made);
    return made;
  };
}
