import { concat, concatMap, defer, map, type Observable, type OperatorFunction, of, tap } from 'rxjs';
import type { Batch } from '../src/data/types.js';
import type { EpochEvent, Event, StepEvent, ValidationEvent } from '../src/events/event.js';
import type { Model } from '../src/model/parameters.js';
import type { ScoringOptions } from '../src/tasks/segmentation/metrics/scorer.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { Training } from '../src/train/training.js';
import { evaluate } from './evaluate.js';
import type { Lease } from './lease.js';

export interface ValidateOptions extends ScoringOptions {
  readonly every: Every;
  /** The event's `split`. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and scores a training where an epoch, or every so many steps, has ended: a `ValidationEvent`
 * follows the event that was due.
 *
 * Scored are the averaged weights where the training keeps an average. The training hears its scores, so that a schedule
 * that follows them (`plateau`) can; a bare model is scored alike, and nobody hears. Stands inside the lease, so that
 * the next step waits. `batches` is asked for a new stream each time; it loads from its own plans, in the same order.
 *
 * @example
 * validate(training, () => prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load, { ahead: 1 }), {
 *   every: 'epoch', classes: 3, loss: logCoshDice(),
 * });
 */
export function validate<E extends Event>(
  target: Training | Model,
  batches: () => Observable<Lease<Batch>>,
  options: ValidateOptions,
): OperatorFunction<E, E | ValidationEvent> {
  const { every, split = 'validation' } = options;
  checkEvery(every);
  const training = 'scored' in target ? target : undefined;
  const place = (event: Event) => event as StepEvent | EpochEvent;
  return concatMap((event) =>
    isDue(every, event)
      ? concat(
          of(event),
          defer(() =>
            scored(place(event), training?.scored ?? (target as Model), batches, split, options),
          ).pipe(tap((scores) => training?.observe(scores))),
        )
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
