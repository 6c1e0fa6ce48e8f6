import { UserError } from '../base/errors.js';
import type { Item, Splits } from '../data/types.js';
import { METRIC_TEXTS, type Metric } from '../tasks/segmentation/metrics/metric.js';

/** The settings of a training that may ask for what its data or its mode do not give. */
export interface NotedSettings {
  readonly metric: Metric;
  readonly patience?: number | undefined;
  readonly schedule: string;
  readonly mode: string;
  readonly epochs: number;
  readonly freezeEpochs?: number | undefined;
}

/**
 * Notes for the user before a training begins, as lines for standard error: by what the best checkpoint is chosen,
 * and which splits have no picture.
 *
 * @throws UserError for `--patience` and `--schedule plateau` without a validation split: they would do nothing.
 */
export function trainingNotes(settings: NotedSettings, { train, validation, test }: Splits<Item>): string {
  const { metric, patience, schedule, mode, epochs, freezeEpochs } = settings;
  const pairs = train.length + validation.length + test.length;
  const asked = patience
    ? `--patience ${patience}`
    : schedule === 'plateau'
      ? '--schedule plateau'
      : undefined;
  if (validation.length === 0 && asked)
    throw new UserError(
      `${asked}: expected a validation split with a picture, got none of ${pairs} pairs; give more pairs, or raise --data-percentage`,
    );
  const notes = [
    validation.length > 0
      ? `--metric ${metric} chooses the best checkpoint: ${METRIC_TEXTS[metric]}`
      : `no picture of ${pairs} pairs is for validation: the last checkpoint counts as the best, and --metric does nothing`,
  ];
  if (test.length === 0) notes.push(`no picture of ${pairs} pairs is for the test: nothing is tested`);
  if (freezeEpochs !== undefined && mode === 'head')
    notes.push('--freeze-epochs: ignored: --mode head trains the head alone throughout');
  else if (freezeEpochs !== undefined && freezeEpochs >= epochs)
    notes.push(`--freeze-epochs ${freezeEpochs}: of ${epochs} epochs all train the head alone`);
  return `${notes.join('\n')}\n`;
}
