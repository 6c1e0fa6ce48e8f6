import { named } from '../../config/named.js';
import type { Scores } from '../../events/event.js';
import { meanOf } from './confusion-matrix.js';

/** The scores that stopping, plateaus and best checkpoints can follow; `dice` and `iou` are means over classes. */
export const METRICS = ['loss', 'softDice', 'softIou', 'dice', 'iou', 'miou', 'accuracy'] as const;
export type Metric = (typeof METRICS)[number];

const MODES: Readonly<Record<Metric, Mode>> = {
  loss: 'min',
  softDice: 'max',
  softIou: 'max',
  dice: 'max',
  iou: 'max',
  miou: 'max',
  accuracy: 'max',
};

/** Which of two values of a metric is better. */
export type Mode = 'min' | 'max';

/** `loss` falls, everything else rises. @throws UserError that names the nearest metric. */
export function modeOf(metric: Metric): Mode {
  return named('metric', MODES, metric);
}

/** @throws UserError that names the nearest metric. */
export function metricOf(scores: Scores, metric: Metric): number {
  named('metric', MODES, metric);
  const value = scores[metric];
  return typeof value === 'number' ? value : meanOf(value);
}

/** Whether `value` beats `best` by more than `minDelta`. NaN beats nothing, and any number beats no best. */
export function improves(value: number, best: number | null | undefined, mode: Mode, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (best === null || best === undefined || Number.isNaN(best)) return true;
  return mode === 'max' ? value > best + minDelta : value < best - minDelta;
}
