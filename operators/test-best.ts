import {
  concat,
  concatAll,
  defer,
  filter,
  type MonoTypeOperatorFunction,
  map,
  type Observable,
  of,
} from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { DoneEvent, Event, WarningEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import { warningEvent } from '../src/events/warning-event.js';
import { loadParameters } from '../src/train/restore.js';
import type { Run } from '../src/train/run.js';
import type { Lease } from './lease.js';
import { scored } from './validate.js';

/** Options of `testBest`. */
export interface TestBestOptions {
  /** The event's `split`. Default `test`. */
  readonly split?: string;
}

/**
 * When training has ended, loads the weights of the best checkpoint into the model and scores them: a
 * `ValidationEvent` of split `test` with the step and the epoch of that checkpoint.
 *
 * Scores that are not finite are not scores, and a run that the guard stopped before its first checkpoint has no weights
 * to score: a `WarningEvent` of code `not-tested` then says so in their place.
 *
 * Stands after what ends a run (`guard`, `earlyStop`), before `asRun`. The model keeps those weights.
 *
 * @example
 * const plans = batchPlans(test, { batchSize, seed, shuffle: false });
 * const batches = () => prefetch(plans, load, { ahead: 1 });
 * training$.pipe(guard(run), testBest(run, batches), asRun(run));
 */
export function testBest<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  { split = 'test' }: TestBestOptions = {},
): MonoTypeOperatorFunction<Event<S>> {
  const store = run.checkpoints;
  const score = (place: Pick<DoneEvent, 'step' | 'epoch'>) =>
    scored(place, run.model, batches, { split, metrics: run.metrics }).pipe(
      map((event): Event<S> => {
        const numbers = Object.values(event.scores).filter((score) => typeof score === 'number');
        if (numbers.every(Number.isFinite)) return event;
        return notTested(split, `the weights of step ${place.step} give a loss of ${event.scores.loss}`);
      }),
    );
  const test = async (reason: DoneEvent['reason'] | undefined): Promise<Observable<Event<S>>> => {
    if ((await store.last()) === undefined) {
      if (reason === 'guard') return of(notTested(split, 'the run diverged before its first checkpoint'));
      return score({ step: run.position, epoch: run.epoch });
    }
    const checkpoint = await store.load('best');
    loadParameters(run.model, checkpoint);
    return score({ step: checkpoint.info.position, epoch: checkpoint.info.epoch });
  };
  return (events$) =>
    defer(() => {
      let doneEvent: DoneEvent | undefined;
      return concat(
        events$.pipe(
          filter((event) => {
            if (event.type === 'done') doneEvent = event;
            return event.type !== 'done';
          }),
        ),
        defer(() => test(doneEvent?.reason)).pipe(concatAll()),
        defer(() => (doneEvent ? [{ ...doneEvent, time: Date.now() }] : [])),
      );
    });
}

function notTested(split: string, why: string): WarningEvent {
  return warningEvent('not-tested', `no scores of ${split}: ${why}`);
}
