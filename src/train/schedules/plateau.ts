import { improves, type Mode, metricOf, modeOf } from '../../events/metric.js';
import type { Schedule } from './schedule.js';

/** Options of `plateau`. */
export interface PlateauOptions {
  readonly metric: string;
  readonly mode?: Mode;
  /** The factor that multiplies the rate. Default 0.1. */
  readonly factor?: number;
  /** The number of validations without improvement that are tolerated. Default 5. */
  readonly patience?: number;
  /** The least improvement that counts. Default 0. */
  readonly minDelta?: number;
  /** The lower limit of the factor. Default 0. */
  readonly floor?: number;
  /** Default `validation`. */
  readonly split?: string;
}

/**
 * Lowers the rate when a validation score has not improved for more than `patience` validations.
 *
 * It learns from `validate(training, …)`, which tells the training what it scored. One object serves one run.
 */
export function plateau({
  metric,
  mode = modeOf(metric),
  factor = 0.1,
  patience = 5,
  minDelta = 0,
  floor = 0,
  split = 'validation',
}: PlateauOptions): Schedule {
  const state: { best: number | null; bad: number; factor: number } = { best: null, bad: 0, factor: 1 };
  return Object.assign(() => state.factor, {
    state: state as Record<string, number | null>,
    observe(event: Parameters<NonNullable<Schedule['observe']>>[0]) {
      if (event.type !== 'validation' || event.split !== split) return;
      const value = metricOf(event.scores, metric);
      if (improves(value, state.best, mode, minDelta)) {
        state.best = value;
        state.bad = 0;
      } else if (++state.bad > patience) {
        state.factor = Math.max(floor, state.factor * factor);
        state.bad = 0;
      }
    },
  });
}
