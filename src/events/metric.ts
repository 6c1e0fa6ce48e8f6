import { named } from '../base/named.js';
import type { Scores } from './scores.js';

/** Which of two values of a metric is better. */
export type Mode = 'min' | 'max';

/** How a score is shown, and which way it improves. */
export interface MetricAbout {
  readonly label: string;
  readonly mode: Mode;
  /** The label of one class's value, where the mean over classes has another. Default: `label`. */
  readonly ofClass?: string;
  /** Its name in metrics.csv, after `val_`, and that of the plot it leads. Default: its own name in snake_case. */
  readonly column?: string;
}

/**
 * The metrics that stopping, plateaus and best checkpoints may follow. Each task registers its own metrics; loggers and
 * plots show a score as it is registered here, and one that is not by its name.
 *
 * @example
 * metrics.register('meanError', { label: 'mean error', mode: 'min' });
 */
export const metrics = named<string, MetricAbout>('metric', {
  loss: { label: 'loss', mode: 'min' },
  accuracy: { label: 'accuracy', mode: 'max' },
});

/** Which way a metric improves. @throws UserError that names the nearest metric. */
export function modeOf(metric: string): Mode {
  return metrics.get(metric).mode;
}

/**
 * The value of a metric: a number, or a vector's mean over the classes that occur.
 *
 * @throws UserError that names the nearest metric, where there is none of that name.
 */
export function metricOf(scores: Scores, metric: string): number {
  metrics.get(metric);
  const value = named('metric', scores).get(metric);
  return typeof value === 'number' ? value : meanOf(value as readonly (number | null)[]);
}

/** The mean of the values that are not null; 0 if there are none. */
export function meanOf(values: readonly (number | null)[]): number {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? 0 : present.reduce((a, b) => a + b, 0) / present.length;
}

/** Whether `value` beats `best` by more than `minDelta`. NaN beats nothing, and any number beats no best. */
export function improves(value: number, best: number | null | undefined, mode: Mode, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (best === null || best === undefined || Number.isNaN(best)) return true;
  return mode === 'max' ? value > best + minDelta : value < best - minDelta;
}
