import { concat, concatMap, defer, type Observable, type OperatorFunction, of } from 'rxjs';
import type { Batch } from '../src/data/types.js';
import type { Model } from '../src/engine/parameters.js';
import type { Event, ValidationEvent } from '../src/events/event.js';
import { loadParameters } from '../src/train/checkpoint.js';
import type { CheckpointStore } from '../src/train/checkpoint-store.js';
import type { ScoringOptions } from '../src/train/metrics/scorer.js';
import type { Lease } from './lease.js';
import { scored } from './validate.js';

export interface TestBestOptions extends ScoringOptions {
  /** The event's `split`. Default `test`. */
  readonly split?: string;
}

/**
 * Before a run's `DoneEvent`, puts the weights of its best checkpoint into the model and scores them: a
 * `ValidationEvent` of split `test`, whose step and epoch are the checkpoint's.
 *
 * Stands after what ends a run (`guard`, `earlyStop`, `finish`). The model keeps those weights.
 *
 * @example
 * const plans = batchPlans(test, { batchSize, seed, shuffle: false });
 * const batches = () => prefetch(plans, load, { ahead: 1 });
 * training$.pipe(finish(), testBest(model, store, batches, { classes: 3, loss: logCoshDice() }));
 */
export function testBest<E extends Event>(
  model: Model,
  store: CheckpointStore,
  batches: () => Observable<Lease<Batch>>,
  { split = 'test', ...options }: TestBestOptions,
): OperatorFunction<E, E | ValidationEvent> {
  const test = async ({ step, epoch }: { readonly step: number; readonly epoch: number }) => {
    if ((await store.last()) === undefined) return scored({ step, epoch }, model, batches, split, options);
    const checkpoint = await store.load('best');
    loadParameters(model, checkpoint);
    const { info } = checkpoint;
    return scored({ step: info.position, epoch: info.epoch }, model, batches, split, options);
  };
  return concatMap((given) => {
    const event: Event = given;
    if (event.type !== 'done') return of(given);
    const done = defer(() => of({ ...given, time: Date.now() }));
    return concat(defer(() => test(event)).pipe(concatMap((scores$) => scores$)), done);
  });
}
