import { metrics } from '../../../events/metric.js';

/** The scores that stopping, plateaus and best checkpoints can follow; `dice` and `iou` are means over classes. */
export const METRICS = ['loss', 'softDice', 'softIou', 'dice', 'iou', 'miou', 'accuracy'] as const;
export type Metric = (typeof METRICS)[number];

/** Each metric's display name, and a line that explains it. */
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

for (const metric of METRICS)
  if (!metrics.has(metric)) metrics.register(metric, { label: METRIC_TEXTS[metric].name, mode: 'max' });
