import { type MetricAbout, metrics } from '../../../events/metric.js';

/** The scores that stopping, plateaus and best checkpoints can follow; `dice` and `iou` are means over classes. */
export const METRICS = ['loss', 'softDice', 'softIou', 'dice', 'iou', 'miou', 'accuracy'] as const;
/** The name of such a score. */
export type Metric = (typeof METRICS)[number];

/** A line that explains each metric. */
export const METRIC_TEXTS: Readonly<Record<Metric, string>> = {
  loss: 'the value of --loss, lower is better',
  softDice: "upstream's Dice, of probabilities: a mean over batches in which the rarest class weighs most",
  softIou: "upstream's IoU, of probabilities: a mean over batches in which the rarest class weighs most",
  dice: 'of the predicted classes over the whole split, a mean over classes',
  iou: 'of the predicted classes over the whole split, a mean over classes',
  miou: 'of the predicted classes over the whole split, a mean over classes',
  accuracy: 'the share of pixels that are predicted right',
};

/** Upstream's names for metrics.csv and the plots: its `dice` and `iou` are the soft ones. */
const SHOWN: Readonly<Record<Exclude<Metric, 'loss' | 'accuracy'>, Omit<MetricAbout, 'mode'>>> = {
  softDice: { label: 'soft Dice', column: 'dice' },
  softIou: { label: 'soft IoU', column: 'iou' },
  dice: { label: 'Dice' },
  iou: { label: 'mIoU', ofClass: 'IoU' },
  miou: { label: 'mIoU' },
};

/** Scores at the pictures' own resolution, which no training follows. */
const OWN_RESOLUTION: Readonly<Record<string, MetricAbout>> = {
  meanDice: { label: 'Dice', mode: 'max' },
  meanBoundaryIou: { label: 'boundary IoU', mode: 'max' },
  meanSurfaceDice: { label: 'surface Dice', mode: 'max' },
  boundaryIou: { label: 'boundary IoU', mode: 'max' },
  surfaceDice: { label: 'surface Dice', mode: 'max' },
  ece: { label: 'ECE', mode: 'min' },
};
for (const [name, about] of Object.entries(OWN_RESOLUTION)) metrics.register(name, about);

for (const [name, text] of Object.entries(SHOWN)) metrics.register(name, { ...text, mode: 'max' });
