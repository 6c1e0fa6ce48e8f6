import type { z } from 'zod';
import type { gridTask } from './grid.js';

/** A score that tables and plots of a study show. */
export interface ComparedScoreName {
  readonly name: string;
  /** The name of a plot's file. */
  readonly file: string;
  /** The title of a plot's axis. */
  readonly axis: string;
  /** The title of a table's column. */
  readonly column: string;
}

const SCORES = {
  segmentation: [
    { name: 'softDice', file: 'dice', axis: 'Soft Dice', column: 'soft Dice' },
    { name: 'miou', file: 'miou', axis: 'mIoU', column: 'mIoU' },
  ],
  classification: [
    { name: 'accuracy', file: 'accuracy', axis: 'Accuracy', column: 'accuracy' },
    { name: 'macroF1', file: 'macro-f1', axis: 'Macro F1', column: 'macro F1' },
  ],
} as const satisfies Readonly<Record<z.output<typeof gridTask>, readonly ComparedScoreName[]>>;

/** The scores that a study of a task compares; the first is the main one. */
export function scoresOfTask(
  task: z.output<typeof gridTask> = 'segmentation',
): readonly [ComparedScoreName, ComparedScoreName] {
  return SCORES[task];
}
