import { defer, mergeMap, type OperatorFunction } from 'rxjs';
import type { ImageSize } from '../src/data/images/image-size.js';
import { loadImage } from '../src/data/images/load-image.js';
import type { ImageItem, MaskedSample, Pair, Sample, SamplePlan } from '../src/data/types.js';
import { type LoadOptions, loadSample } from '../src/tasks/segmentation/load-sample.js';

/** Options of `decode`. */
export interface DecodeOptions extends LoadOptions {
  /** Samples that are loaded at once. Default 4, the threads that Node gives to the decoder. */
  readonly concurrency?: number;
}

/**
 * Loads planned samples at the model's size (a number is a square), several at once, in order: images, with their masks where items have them.
 *
 * See `loadSample` and `loadImage` for what is accepted and what is an error. A sample that is ready before its turn
 * counts among those that are loaded at once, so no more than `concurrency` are held here.
 *
 * Without a cache the next samples are decoded into the memory of those that are in a batch: what `image` and `mask` return
 * stays, but a sample that is first read after its batch is decoded again.
 *
 * @example
 * from(plan.samples).pipe(decode(224, { ids: [1, 2, 3], cache: memoryCache() }));
 */
export function decode<I extends ImageItem>(
  size: ImageSize,
  options: DecodeOptions = {},
): OperatorFunction<SamplePlan<I>, Decoded<I>> {
  const { concurrency = 4, ...loading } = options;
  const load = (plan: SamplePlan<I>): Promise<Sample<I> | MaskedSample> =>
    'mask' in plan.item
      ? loadSample(plan as unknown as SamplePlan<Pair>, size, loading)
      : loadImage(plan, size, loading);
  return mapInOrder(load as (plan: SamplePlan<I>) => Promise<Decoded<I>>, concurrency);
}

/** The sample of an item: with a mask where the item names one. */
export type Decoded<I extends ImageItem> = I extends Pair ? MaskedSample : Sample<I>;

/** `mergeMap` whose results, and whose first error, come in the order of the source. */
function mapInOrder<T, R>(work: (value: T) => Promise<R>, concurrency: number): OperatorFunction<T, R> {
  return (source$) =>
    defer(() => {
      let before: Promise<unknown> = Promise.resolve();
      return source$.pipe(
        mergeMap((value) => {
          const turn = before;
          const result = work(value);
          const inTurn = Promise.allSettled([turn, result]).then(() => result);
          before = inTurn;
          return inTurn;
        }, concurrency),
      );
    });
}
