import { UserError } from '../base/errors.js';
import { few } from '../data/recorded-split.js';
import type { Item, Splits } from '../data/types.js';
import { METRIC_TEXTS } from '../tasks/segmentation/metrics/metric.js';

/** The settings of a training that its data or its mode may not support. */
export interface NotedSettings {
  readonly metric: string;
  readonly patience?: number | undefined;
  readonly schedule: string;
  readonly mode: string;
  readonly epochs: number;
  readonly freezeEpochs?: number | undefined;
  readonly precision?: string | undefined;
  /** The guesses that top-k accuracy allows, of a classification. */
  readonly topK?: number;
}

/**
 * Notes for the user before a training begins, as lines for standard error: the score that chooses the best
 * checkpoint, splits without a picture, and classes without one in a split.
 *
 * @throws UserError for `--patience` and `--schedule plateau` without a validation split: they would do nothing.
 * @param texts a line that explains each metric of the task; default: segmentation's
 */
export function trainingNotes(
  settings: NotedSettings,
  { train, validation, test }: Splits<Item>,
  texts: Readonly<Record<string, string>> = METRIC_TEXTS,
): string {
  const { metric, patience, schedule, mode, epochs, freezeEpochs, topK, precision } = settings;
  const items = [...train, ...validation, ...test];
  const what = items.some((item) => 'label' in item) ? 'pictures' : 'pairs';
  const all = `${items.length} ${what}`;
  const flag = patience
    ? `--patience ${patience}`
    : schedule === 'plateau'
      ? '--schedule plateau'
      : undefined;
  if (validation.length === 0 && flag)
    throw new UserError(
      `${flag}: expected a validation split with a picture, got none of ${all}; give more ${what}, or raise --data-percentage`,
    );
  const notes = [
    validation.length > 0
      ? `--metric ${metric} chooses the best checkpoint: ${texts[metric]}`
      : `no picture of ${all} is for validation: the last checkpoint counts as the best, and --metric does nothing`,
  ];
  if (test.length === 0) notes.push(`no picture of ${all} is for the test: nothing is tested`);
  notes.push(...missingClasses({ train, validation, test }));
  const classes = classesOf(items).size;
  if (topK !== undefined && topK >= classes)
    notes.push(`--top-k ${topK}: top-k accuracy is always 1 with ${classes} classes`);
  if (freezeEpochs !== undefined && mode !== 'head' && freezeEpochs >= epochs)
    notes.push(`--freeze-epochs ${freezeEpochs}: of ${epochs} epochs all train the head alone`);
  if (mode === 'full' && precision?.startsWith('int'))
    notes.push(
      `--precision ${precision}: --mode full trains all weights, and only frozen ones are in integers`,
    );
  return `${notes.join('\n')}\n`;
}

/** The classes of items, where they have some. */
function classesOf(items: readonly Item[]): Set<string> {
  return new Set(items.flatMap((item) => ('className' in item ? [String(item.className)] : [])));
}

/** A line for each split without a picture of some class, where items have classes. */
function missingClasses(splits: Readonly<Record<string, readonly Item[]>>): string[] {
  const all = classesOf(Object.values(splits).flat());
  return Object.entries(splits).flatMap(([name, items]) => {
    const present = classesOf(items);
    const missing = [...all].filter((className) => !present.has(className));
    return items.length > 0 && missing.length > 0
      ? [`the ${name} split has no picture of ${few(missing.toSorted())}`]
      : [];
  });
}
