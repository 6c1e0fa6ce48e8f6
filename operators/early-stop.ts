import type { MonoTypeOperatorFunction } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { doneEvent } from '../src/events/done-event.js';
import type { Event } from '../src/events/event.js';
import { improves, type Mode, metricOf, modeOf } from '../src/events/metric.js';
import type { MetricName, Scores } from '../src/events/scores.js';
import type { Memory } from '../src/train/run-state.js';
import { stopWhen } from './stop-when.js';

/** Options of `earlyStop`. */
export interface EarlyStopOptions<S extends Scores = Scores> {
  /** Default: the run's. */
  readonly metric?: MetricName<S>;
  /** The number of validations in a row without improvement that ends the run. */
  readonly patience: number;
  /** The least improvement that counts. Default 0. */
  readonly minDelta?: number;
  /** Default: `min` for `loss`, else `max`. */
  readonly mode?: Mode;
  /** Default `validation`. */
  readonly split?: string;
}

/**
 * Ends the run when a validation score has not improved for `patience` validations in a row: the events end with a
 * `DoneEvent` of reason `early-stop`.
 *
 * Stands outside the lease. The run ends before the checkpoint of the epoch that was one too many; the best one is
 * `store.load('best')`.
 *
 * @example
 * earlyStop(run, { patience: 5 });
 */
export function earlyStop<S extends Scores>(
  run: { readonly memory: Memory; readonly metric: MetricName<S> },
  options: EarlyStopOptions<S>,
): MonoTypeOperatorFunction<Event<S>> {
  const { metric = run.metric, patience, minDelta = 0, split = 'validation' } = options;
  const { mode = modeOf(metric) } = options;
  if (!Number.isInteger(patience) || patience < 1)
    throw new UserError(`patience: expected an integer from 1 up, got ${patience}`, { patience });
  return stopWhen<S>(() => {
    const started = performance.now();
    return (event) => {
      if (event.type !== 'validation' || event.split !== split) return undefined;
      const state = (run.memory['early-stop'] ??= { best: null, bad: 0 });
      const value = metricOf(event.scores, metric);
      if (improves(value, state.best, mode, minDelta)) {
        state.best = value;
        state.bad = 0;
        return undefined;
      }
      state.bad = (state.bad ?? 0) + 1;
      if (state.bad < patience) return undefined;
      return [doneEvent('early-stop', event, started)];
    };
  });
}
