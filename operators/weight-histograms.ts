import { concat, concatMap, from, type MonoTypeOperatorFunction, of } from 'rxjs';
import type { Tensors } from '../src/data/batch.js';
import type { Event, WeightsEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import { type Histogram, histogramOf } from '../src/numeric/histogram.js';
import type { Run } from '../src/train/run.js';

/**
 * Passes events on, and after each `EpochEvent` a `WeightsEvent`: how the values of each tensor that trains are distributed,
 * in 30 intervals. Values that are not finite are left out; so is a tensor without any others.
 *
 * Stands inside the lease, before `checkpoint`, so that a resumed run has the same events.
 *
 * @example
 * batch$.pipe(trainStep(run), weightHistograms(run), checkpoint(run));
 */
export function weightHistograms<
  In extends Tensors,
  Out extends Tensors,
  Target extends Tensors,
  S extends Scores,
>(run: Run<In, Out, Target, S>): MonoTypeOperatorFunction<Event<S>> {
  const weights = async (step: number, epoch: number): Promise<WeightsEvent> => {
    const histograms: Record<string, Histogram> = {};
    for (const { name, value } of run.model.parameters.trainable()) {
      const histogram = histogramOf(await value.data());
      if (histogram) histograms[name] = histogram;
    }
    return { type: 'weights', time: Date.now(), histograms, step, epoch };
  };
  return (events$) =>
    events$.pipe(
      concatMap((event) =>
        event.type === 'epoch' ? concat(of(event), from(weights(event.step, event.epoch))) : of(event),
      ),
    );
}
