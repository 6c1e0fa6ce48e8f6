import { concat, concatMap, defer, type MonoTypeOperatorFunction, map, type Observable, of, tap } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { EpochEvent, Event, StepEvent, ValidationEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { Metrics } from '../src/model/metrics.js';
import type { Model } from '../src/model/model.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { Run } from '../src/train/run.js';
import { evaluate } from './evaluate.js';
import type { Lease } from './lease.js';

/** Options of `validate`. */
export interface ValidateOptions {
  /** Default `epoch`. */
  readonly every?: Every;
  /** The event's `split`. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and scores the run's model at the end of each epoch, or after every given number of steps: a
 * `ValidationEvent` follows the event that was due.
 *
 * Scored are the averaged weights where the run keeps an average. The run hears its scores, so that a schedule that follows
 * them (`plateau`) can. Stands inside the lease, so that the next step waits. `batches` is asked for a new stream each
 * time; it loads from its own plans, in the same order.
 *
 * @example
 * validate(run, () => prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load, { ahead: 1 }));
 */
export function validate<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  { every = 'epoch', split = 'validation' }: ValidateOptions = {},
): MonoTypeOperatorFunction<Event<S>> {
  checkEvery(every);
  return concatMap((event) =>
    isDue(every, event)
      ? concat(
          of(event),
          defer(() =>
            scored(event as StepEvent | EpochEvent, run.training.scored, batches, {
              split,
              metrics: run.metrics,
            }),
          ).pipe(tap((scores) => run.observe(scores))),
        )
      : of(event),
  );
}

/** One `ValidationEvent`: the scores of a model as it is, at a position of its run. Cold. */
export function scored<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  { epoch, step }: Pick<ValidationEvent, 'epoch' | 'step'>,
  model: Model<In, Out>,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  { split, metrics }: { readonly split: string; readonly metrics: () => Metrics<Out, Target, S> },
): Observable<ValidationEvent<S>> {
  return defer(() => {
    const started = performance.now();
    return evaluate(model, batches(), metrics).pipe(
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
