import type { OperatorFunction } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { DoneEvent, Event } from '../src/events/event.js';
import { improves, type Mode, metricOf, modeOf } from '../src/events/metric.js';
import type { MetricName, Scores, ScoresIn } from '../src/events/scores.js';
import type { Memory } from '../src/train/training.js';
import { stopWhen } from './stop-when.js';

export interface EarlyStopOptions<S extends Scores = Scores> {
  readonly metric: MetricName<S>;
  /** Validations without improvement in a row that end the run. */
  readonly patience: number;
  /** By how much a value must be better to count. Default 0. */
  readonly minDelta?: number;
  /** Default: `min` for `loss`, else `max`. */
  readonly mode?: Mode;
  /** Default `validation`. */
  readonly split?: string;
  /** Where to remember: give `training.memory`, so that a resumed run stops where an unbroken one would. */
  readonly memory?: Memory;
}

/**
 * Ends the run when a validation score has not improved for `patience` validations in a row: the events end with a
 * `DoneEvent` of reason `early-stop`.
 *
 * Stands outside the lease. The run ends before the checkpoint of the epoch that was one too many; the best one is
 * `store.load('best')`.
 *
 * @example
 * earlyStop({ metric: 'softDice', patience: 5, memory: training.memory });
 */
export function earlyStop<E extends Event>(
  options: EarlyStopOptions<ScoresIn<E>>,
): OperatorFunction<E, E | DoneEvent> {
  const { metric, patience, minDelta = 0, mode = modeOf(metric), split = 'validation' } = options;
  if (!Number.isInteger(patience) || patience < 1)
    throw new UserError(`patience: expected an integer from 1 up, got ${patience}`, { patience });
  return stopWhen<E, DoneEvent>(() => {
    const memory = options.memory ?? {};
    const started = performance.now();
    return (event: Event) => {
      if (event.type !== 'validation' || event.split !== split) return undefined;
      const state = (memory['early-stop'] ??= { best: null, bad: 0 });
      const value = metricOf(event.scores, metric);
      if (improves(value, state.best, mode, minDelta)) {
        state.best = value;
        state.bad = 0;
        return undefined;
      }
      state.bad = (state.bad ?? 0) + 1;
      if (state.bad < patience) return undefined;
      const { step, epoch } = event;
      const seconds = (performance.now() - started) / 1000;
      return [{ type: 'done', time: Date.now(), reason: 'early-stop', step, epoch, seconds }];
    };
  });
}
