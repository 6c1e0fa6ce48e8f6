import { UserError } from '../base/errors.js';
import { inOrder, type Order, shuffle as shuffleAll } from './order.js';
import { type Sequence, sequence } from './sequence.js';
import type { BatchPlan, Item } from './types.js';

/** Options of `batchPlans`. */
export interface BatchPlansOptions {
  /** Passes over the items; Infinity never ends. Default 1. */
  readonly epochs?: number;
  /** Samples per batch; the last batch of an epoch may have fewer. */
  readonly batchSize: number;
  /** Seeds the order of each epoch and the randomness of each sample. */
  readonly seed: number;
  /**
   * A new order each epoch: of all items, or by an order such as `interleave` and `balance` make. Default true;
   * validation and test want false.
   */
  readonly shuffle?: boolean | Order | undefined;
  /** Leaves out an epoch's last batch if it is short. Default false, as in PyTorch. */
  readonly dropLast?: boolean;
  /** Batches already consumed: planning continues with the next one. Default 0. */
  readonly from?: number;
}

/**
 * Plans of what to load, batch by batch: a lazy sequence that is a pure function of (items, seed, epoch, position).
 *
 * Plans are made when they are pulled and hold no pixels: a million items start at once, and a run resumes at
 * any position with the very batches that it would have had.
 *
 * @see shard for several workers
 * @example
 * const plans = batchPlans(pairs, { epochs: 2, batchSize: 8, seed: 42 });
 * for (const plan of plans) console.log(plan.epoch, plan.batch, plan.samples.length);
 */
export function batchPlans<I extends Item>(
  items: Sequence<I>,
  options: BatchPlansOptions,
): Sequence<BatchPlan<I>> {
  const { epochs = 1, batchSize, seed, shuffle = true, dropLast = false, from = 0 } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new UserError(`batchSize: expected an integer from 1 up, got ${batchSize}`, { batchSize });
  if (!(epochs === Infinity || Number.isInteger(epochs)) || epochs < 1)
    throw new UserError(`epochs: expected an integer from 1 up, or Infinity, got ${epochs}`, { epochs });
  if (!Number.isInteger(from) || from < 0)
    throw new UserError(`from: expected a count of batches from 0 up, got ${from}`, { from });
  const count = items.length;
  const batches = batchesPerEpoch(count, batchSize, dropLast);
  const make = typeof shuffle === 'function' ? shuffle : shuffle ? shuffleAll : inOrder;
  let last: { readonly epoch: number; readonly order: (place: number) => number } | undefined;
  const orderOf = (epoch: number) => {
    if (last?.epoch !== epoch) last = { epoch, order: make(count, seed, epoch) };
    return last.order;
  };
  return sequence(batches === 0 ? 0 : Math.max(0, epochs * batches - from), (i) => {
    const position = from + i;
    const epoch = Math.floor(position / batches) + 1;
    const batch = position % batches;
    const first = batch * batchSize;
    const samples = Array.from({ length: Math.min(batchSize, count - first) }, (_, k) => {
      const index = orderOf(epoch)(first + k);
      return { item: items.at(index % count)!, seed, epoch, index };
    });
    return { epoch, batch, batches, position, samples };
  });
}

/** The number of batches in an epoch over `count` items. */
export function batchesPerEpoch(count: number, batchSize: number, dropLast = false): number {
  return dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
}
