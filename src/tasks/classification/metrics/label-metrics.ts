import { type MetricAbout, metrics } from '../../../events/metric.js';

/** The scores of a classification that stopping, plateaus and best checkpoints can follow. */
export const LABEL_METRICS = ['loss', 'accuracy', 'macroF1', 'topK'] as const;

/** The name of such a score. */
export type LabelMetric = (typeof LABEL_METRICS)[number];

/** A line that explains each metric. */
export const LABEL_METRIC_TEXTS: Readonly<Record<LabelMetric, string>> = {
  loss: 'the value of --loss, lower is better',
  accuracy: 'the share of pictures whose class is predicted right',
  macroF1: 'the mean over classes of F1, in which a rare class weighs as much as any',
  topK: 'the share of pictures whose class is among the --top-k most likely ones',
};

const SHOWN: Readonly<Record<string, Omit<MetricAbout, 'mode'>>> = {
  macroF1: { label: 'macro F1' },
  topK: { label: 'top-k accuracy' },
  f1: { label: 'macro F1', ofClass: 'F1' },
};

for (const [name, shown] of Object.entries(SHOWN)) metrics.register(name, { ...shown, mode: 'max' });
