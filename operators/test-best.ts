import { concat, concatMap, defer, map, type Observable, type OperatorFunction, of } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { DoneEvent, Event, ValidationEvent, WarningEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { Model } from '../src/model/model.js';
import { loadParameters } from '../src/train/checkpoint.js';
import type { CheckpointStore } from '../src/train/checkpoint-store.js';
import type { Lease } from './lease.js';
import { type ScoringOptions, scored } from './validate.js';

/**
 * Before a run's `DoneEvent`, puts the weights of its best checkpoint into the model and scores them: a
 * `ValidationEvent` of split `test` by default, whose step and epoch are the checkpoint's.
 *
 * Scores that are not finite are not scores, and a run that the guard stopped before its first checkpoint has no weights
 * to score: a `WarningEvent` of code `not-tested` then says so in their place.
 *
 * Stands after what ends a run (`guard`, `earlyStop`, `finish`). The model keeps those weights.
 *
 * @example
 * const plans = batchPlans(test, { batchSize, seed, shuffle: false });
 * const metrics = segmentationMetrics({ classes: 3, loss: logCoshDice() });
 * const batches = () => prefetch(plans, load, { ahead: 1 });
 * training$.pipe(finish(), testBest(model, store, batches, { metrics }));
 */
export function testBest<
  E extends Event,
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(
  model: Model<In, Out>,
  store: CheckpointStore,
  batches: () => Observable<Lease<Batch<In, Target>>>,
  { split = 'test', metrics }: ScoringOptions<Out, Target, S>,
): OperatorFunction<E, E | ValidationEvent<S> | WarningEvent> {
  const test = async ({ step, epoch, reason }: DoneEvent) => {
    if ((await store.last()) === undefined) {
      if (reason === 'guard') return of(notTested(split, 'the run diverged before its first checkpoint'));
      return finite({ step, epoch });
    }
    const checkpoint = await store.load('best');
    loadParameters(model, checkpoint);
    const { info } = checkpoint;
    return finite({ step: info.position, epoch: info.epoch });
  };
  const finite = (place: Pick<DoneEvent, 'step' | 'epoch'>) =>
    scored(place, model, batches, { split, metrics }).pipe(
      map((event) => {
        const { loss, ...scores } = event.scores;
        const finite = Object.values(scores).every(
          (score) => typeof score !== 'number' || Number.isFinite(score),
        );
        if (Number.isFinite(loss) && finite) return event;
        return notTested(split, `the weights of step ${place.step} give a loss of ${loss}`);
      }),
    );
  return concatMap((given) => {
    const event: Event = given;
    if (event.type !== 'done') return of(given);
    const done = defer(() => of({ ...given, time: Date.now() }));
    return concat(defer(() => test(event)).pipe(concatMap((scores$) => scores$)), done);
  });
}

function notTested(split: string, why: string): WarningEvent {
  return { type: 'warning', time: Date.now(), code: 'not-tested', message: `no scores of ${split}: ${why}` };
}
