import { UserError } from '../base/errors.js';
import { permutation } from './permutation.js';
import type { BatchPlan, Item } from './types.js';

/** Options of `batchPlans`. */
export interface BatchPlansOptions {
  /** Passes over the items; Infinity never ends. Default 1. */
  readonly epochs?: number;
  /** Samples per batch; the last batch of an epoch may have fewer. */
  readonly batchSize: number;
  /** Seeds the order of each epoch and the randomness of each sample. */
  readonly seed: number;
  /** A new order each epoch. Default true; validation and test want false. */
  readonly shuffle?: boolean;
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
 * @example
 * const plans = batchPlans(pairs, { epochs: 2, batchSize: 8, seed: 42 });
 * for (const plan of plans) console.log(plan.epoch, plan.batch, plan.samples.length);
 */
export function batchPlans<I extends Item>(
  items: readonly I[],
  options: BatchPlansOptions,
): Iterable<BatchPlan<I>> {
  const { epochs = 1, batchSize, seed, shuffle = true, dropLast = false, from = 0 } = options;
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new UserError(`batchSize: expected an integer from 1 up, got ${batchSize}`, { batchSize });
  if (!(epochs === Infinity || Number.isInteger(epochs)) || epochs < 1)
    throw new UserError(`epochs: expected an integer from 1 up, or Infinity, got ${epochs}`, { epochs });
  if (!Number.isInteger(from) || from < 0)
    throw new UserError(`from: expected a count of batches from 0 up, got ${from}`, { from });
  const batches = batchesPerEpoch(items.length, batchSize, dropLast);
  return {
    *[Symbol.iterator]() {
      if (batches === 0) return;
      let order: ((position: number) => number) | undefined;
      for (let position = from; position < epochs * batches; position++) {
        const epoch = Math.floor(position / batches) + 1;
        const batch = position % batches;
        if (batch === 0 || !order)
          order = shuffle ? permutation(items.length, seed, 'shuffle', epoch) : (place) => place;
        const first = batch * batchSize;
        const samples = Array.from({ length: Math.min(batchSize, items.length - first) }, (_, i) => {
          const index = order!(first + i);
          return { item: items[index]!, seed, epoch, index };
        });
        yield { epoch, batch, batches, position, samples };
      }
    },
  };
}

/** The number of batches in an epoch over `count` items. */
export function batchesPerEpoch(count: number, batchSize: number, dropLast = false): number {
  return dropLast ? Math.floor(count / batchSize) : Math.ceil(count / batchSize);
}
