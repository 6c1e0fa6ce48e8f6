import { named } from '../../../base/named.js';
import type { Scores } from '../../../events/event.js';
import { meanOf } from './confusion-matrix.js';

/** The scores that stopping, plateaus and best checkpoints can follow; `dice` and `iou` are means over classes. */
export const METRICS = ['loss', 'softDice', 'softIou', 'dice', 'iou', 'miou', 'accuracy'] as const;
export type Metric = (typeof METRICS)[number];

/** What each metric is: its name where figures are shown, and a line that explains it. */
export const METRIC_TEXTS: Readonly<Record<Metric, { readonly name: string; readonly about: string }>> = {
  loss: { name: 'loss', about: 'the value of --loss, lower is better' },
  softDice: {
    name: 'soft Dice',
    about: "upstream's Dice, of probabilities: a mean over batches in which the rarest class weighs most",
  },
  softIou: {
    name: 'soft IoU',
    about: "upstream's IoU, of probabilities: a mean over batches in which the rarest class weighs most",
  },
  dice: { name: 'Dice', about: 'of the predicted classes over the whole split, a mean over classes' },
  iou: { name: 'mIoU', about: 'of the predicted classes over the whole split, a mean over classes' },
  miou: { name: 'mIoU', about: 'of the predicted classes over the whole split, a mean over classes' },
  accuracy: { name: 'accuracy', about: 'the share of pixels that are predicted right' },
};

const metrics = named('metric', METRIC_TEXTS);

/** Which of two values of a metric is better. */
export type Mode = 'min' | 'max';

/** `loss` falls, everything else rises. @throws UserError that names the nearest metric. */
export function modeOf(metric: Metric): Mode {
  metrics.get(metric);
  return metric === 'loss' ? 'min' : 'max';
}

/** @throws UserError that names the nearest metric. */
export function metricOf(scores: Scores, metric: Metric): number {
  metrics.get(metric);
  const value = scores[metric];
  return typeof value === 'number' ? value : meanOf(value);
}

/** Whether `value` beats `best` by more than `minDelta`. NaN beats nothing, and any number beats no best. */
export function improves(value: number, best: number | null | undefined, mode: Mode, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (best === null || best === undefined || Number.isNaN(best)) return true;
  return mode === 'max' ? value > best + minDelta : value < best - minDelta;
}
