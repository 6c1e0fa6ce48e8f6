import { concat, concatMap, defer, map, type Observable, type OperatorFunction, of } from 'rxjs';
import type { Batch } from '../src/data/types.js';
import type { Model } from '../src/engine/parameters.js';
import type { EpochEvent, Event, StepEvent, ValidationEvent } from '../src/events/event.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { ScoringOptions } from '../src/train/metrics/scorer.js';
import { evaluate } from './evaluate.js';
import type { Lease } from './lease.js';

export interface ValidateOptions extends ScoringOptions {
  readonly every: Every;
  /** The event's `split`. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and scores the model where an epoch, or every so many steps, has ended: a `ValidationEvent`
 * follows the event that was due.
 *
 * Stands inside the lease, so that the next step waits. `batches` is asked for a new stream each time; it loads from
 * its own plans, in the same order.
 *
 * @example
 * validate(model, () => prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load, { ahead: 1 }), {
 *   every: 'epoch', classes: 3, loss: logCoshDice(),
 * });
 */
export function validate<E extends Event>(
  model: Model,
  batches: () => Observable<Lease<Batch>>,
  options: ValidateOptions,
): OperatorFunction<E, E | ValidationEvent> {
  const { every, split = 'validation' } = options;
  checkEvery(every);
  return concatMap((event) =>
    isDue(every, event)
      ? concat(of(event), scored(event as StepEvent | EpochEvent, model, batches, split, options))
      : of(event),
  );
}

/** One `ValidationEvent`: the scores of a model as it is, at a place of its run. Cold. */
export function scored(
  { epoch, step }: Pick<ValidationEvent, 'epoch' | 'step'>,
  model: Model,
  batches: () => Observable<Lease<Batch>>,
  split: string,
  options: ScoringOptions,
): Observable<ValidationEvent> {
  return defer(() => {
    const started = performance.now();
    return evaluate(model, batches(), options).pipe(
      map(({ scores, images }) => ({
        type: 'validation' as const,
        time: Date.now(),
        split,
        epoch,
        step,
        scores,
        images,
        seconds: (performance.now() - started) / 1000,
      })),
    );
  });
}
