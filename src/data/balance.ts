import { UserError } from '../base/errors.js';
import { randomStream } from '../random/random-stream.js';
import type { Order } from './order.js';
import { permutation } from './permutation.js';
import { lastAtMost, type Sequence } from './sequence.js';

/** How `balance` weighs items: each class alike, or by a weight. */
export type Balance<I> =
  | {
      /** The name of an item's class. */
      readonly by: (item: I) => string;
      readonly weight?: undefined;
    }
  | {
      /** How often an item comes, beside others. */
      readonly weight: (item: I) => number;
      readonly by?: undefined;
    };

/**
 * An order in which each class comes equally often, or each item in proportion to its weight: an epoch is as long as
 * before, with some items several times and others not at all.
 *
 * The draw is systematic (Madow 1949): an item whose share of the epoch is 2.3 comes two or three times, and the next
 * epoch draws anew. Repetitions of an item are augmented each in its own way. It reads the items once, and keeps a
 * number each.
 *
 * @throws UserError for weights that are negative, not finite, or all 0
 * @example
 * const cats = [0, 1, 2].map((i) => ({ stem: `cat${i}`, image: `cat${i}.png`, className: 'cat' }));
 * const items = [...cats, { stem: 'dog', image: 'dog.png', className: 'dog' }];
 * const plans = batchPlans(items, { batchSize: 4, seed: 1, shuffle: balance(items, { by: ({ className }) => className }) });
 * plans.at(0)!.samples.filter(({ item }) => item.className === 'dog').length; // => 2
 */
export function balance<I>(items: Sequence<I>, how: Balance<I>): Order {
  const weightOf = how.by ? inverseFrequency(items, how.by) : how.weight;
  const ends = new Float64Array(items.length + 1);
  let place = 0;
  for (const item of items) {
    const weight = weightOf(item);
    if (!(weight >= 0 && weight < Infinity))
      throw new UserError(`balance: expected weights from 0 up, got ${weight} for item ${place}`, { weight });
    ends[place + 1] = ends[place]! + weight;
    place++;
  }
  const total = ends[place]!;
  if (!(total > 0)) throw new UserError('balance: expected an item with a weight above 0, got none');
  const last = lastWeighted(ends);
  return (count, seed, epoch) => {
    const phase = randomStream(seed, 'balance', epoch)();
    const shuffled = permutation(count, seed, 'shuffle', epoch);
    return (at) => {
      const draw = shuffled(at);
      const item = Math.min(lastAtMost(ends, ((draw + phase) * total) / count), last);
      const first = Math.max(0, Math.ceil((ends[item]! * count) / total - phase));
      return item + count * Math.max(0, draw - first);
    };
  };
}

/** The last item with a weight: sums of fractions may fall short of the total. */
function lastWeighted(ends: Float64Array): number {
  let item = ends.length - 2;
  while (item > 0 && ends[item] === ends[item + 1]) item--;
  return item;
}

function inverseFrequency<I>(items: Sequence<I>, by: (item: I) => string): (item: I) => number {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(by(item), (counts.get(by(item)) ?? 0) + 1);
  return (item) => 1 / counts.get(by(item))!;
}
