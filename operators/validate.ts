import type { Tensor } from '@tensorflow/tfjs-core';
import { concat, concatMap, defer, map, type Observable, type OperatorFunction, of, tap } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { EpochEvent, Event, StepEvent, ValidationEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { Metrics } from '../src/model/metrics.js';
import type { Model } from '../src/model/model.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { Training } from '../src/train/training.js';
import { evaluate } from './evaluate.js';
import type { Lease } from './lease.js';

export interface ScoringOptions<
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> {
  /** Makes what gathers the scores of a pass over the split. */
  readonly metrics: () => Metrics<Out, Target, S>;
  /** The event's `split`. */
  readonly split?: string;
}

export interface ValidateOptions<
  Out extends Tensors = Tensor,
  Target extends Tensors = Tensor,
  S extends Scores = Scores,
> extends ScoringOptions<Out, Target, S> {
  readonly every: Every;
}

/**
 * Passes events on, and scores a training where an epoch, or every so many steps, has ended: a `ValidationEvent`
 * follows the event that was due, of split `validation` by default.
 *
 * Scored are the averaged weights where the training keeps an average. The training hears its scores, so that a schedule
 * that follows them (`plateau`) can; a bare model is scored alike, and nobody hears. Stands inside the lease, so that
 * the next step waits. `batches` is asked for a new stream each time; it loads from its own plans, in the same order.
 *
 * @example
 * validate(training, () => prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load, { ahead: 1 }), {
 *   every: 'epoch', metrics: segmentationMetrics({ classes: 3, loss: logCoshDice() }),
 * });
 */
export function validate<
  E extends Event,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  target: Training<In, Out, Target> | Model<In, Out>,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  options: ValidateOptions<Out, Target, S>,
): OperatorFunction<E, E | ValidationEvent<S>> {
  const { every, split = 'validation', metrics } = options;
  checkEvery(every);
  const training = 'scored' in target ? target : undefined;
  const model = () => ('scored' in target ? target.scored : target);
  const place = (event: Event) => event as StepEvent | EpochEvent;
  return concatMap((event) =>
    isDue(every, event)
      ? concat(
          of(event),
          defer(() => scored(place(event), model(), batches, { split, metrics })).pipe(
            tap((scores) => training?.observe(scores)),
          ),
        )
      : of(event),
  );
}

/** One `ValidationEvent`: the scores of a model as it is, at a place of its run. Cold. */
export function scored<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  { epoch, step }: Pick<ValidationEvent, 'epoch' | 'step'>,
  model: Model<In, Out>,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  { split, metrics }: Required<ScoringOptions<Out, Target, S>>,
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
