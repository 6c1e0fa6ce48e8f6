import { fileURLToPath } from 'node:url';
import { concatMap, from, type Observable } from 'rxjs';
import { z } from 'zod';
import { say } from '../base/say.js';
import type { StudyCell } from './cell.js';
import { classifierFlags, classifierTrainingFlags, labelledDataFlags } from './classification-flags.js';
import { dataFlags } from './data-flags.js';
import { trainCell } from './train-cell.js';
import { modelFlags, runFlags, trainingFlags } from './training-flags.js';

const { engine, precision, threads, cache, cacheDir, cacheGib, logger, dashboard } = runFlags;
const { modelName, imageSize, mean, std, head, batchNorm, headDropout } = modelFlags;

/** The flags that studies of many trainings share; a study adds its own axes. */
export const gridFlags = {
  Data: {
    ...dataFlags,
    randomSeed: z
      .array(z.int().min(0))
      .min(1)
      .default([10, 20, 30, 42, 123])
      .describe('seeds, one run for each'),
  },
  Model: { modelName, imageSize, mean, std, head, batchNorm, headDropout },
  Training: trainingFlags,
  Run: { engine, precision, threads, cache, cacheDir, cacheGib, logger, dashboard },
};

/** The task of a study's trainings. */
export const gridTask = z
  .enum(['segmentation', 'classification'])
  .default('segmentation')
  .describe('task of the trainings: masks, or labels');

const { mode: _mode, ...classifierModel } = classifierFlags;

/** The flags that studies of many trainings of a task share. */
export function taskGridFlags(task: z.output<typeof gridTask>): typeof gridFlags {
  if (task === 'segmentation') return gridFlags;
  const { Data, Run } = gridFlags;
  // Their names differ from task to task: a study hands them on, and each training reads its own.
  return {
    Data: { ...labelledDataFlags, randomSeed: Data.randomSeed },
    Model: classifierModel,
    Training: classifierTrainingFlags,
    Run,
  } as unknown as typeof gridFlags;
}

/**
 * Trains the cells that are not finished, one after another, each in a process of its own; emits nothing.
 *
 * `beside` is the address of a recipe in the folder of `train` and `train-classifier`, which reads from a cell's file which adapter it trains. A cell that diverges does not end the grid: see `divergedCells`.
 */
export function trainGrid(
  cells: readonly StudyCell[],
  beside: string,
  task: z.output<typeof gridTask> = 'segmentation',
): Observable<never> {
  const recipe = task === 'segmentation' ? 'train.js' : 'train-classifier.js';
  const file = fileURLToPath(new URL(recipe, beside));
  const pending = cells.filter(({ finished }) => !finished);
  if (cells.length > 0) say(`${cells.length} runs, ${pending.length} to be trained`);
  return from(pending).pipe(concatMap((cell) => trainCell(file, cell)));
}

/** Every combination of the values of several axes, the last axis first to change. */
export function grid<A extends Readonly<Record<string, readonly unknown[]>>>(
  axes: A,
): { readonly [K in keyof A]: A[K][number] }[] {
  return Object.entries(axes).reduce<Record<string, unknown>[]>(
    (points, [name, values]) =>
      points.flatMap((point) => [...new Set(values)].map((value) => ({ ...point, [name]: value }))),
    [{}],
  ) as { readonly [K in keyof A]: A[K][number] }[];
}
