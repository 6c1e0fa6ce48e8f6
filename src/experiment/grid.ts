import { fileURLToPath } from 'node:url';
import { concatMap, from, type Observable } from 'rxjs';
import { z } from 'zod';
import { say } from '../base/say.js';
import type { StudyCell } from './cell.js';
import { trainCell } from './train-cell.js';
import { dataFlags, modelFlags, runFlags, trainingFlags } from './training-flags.js';

/** The recipe that trains each adapter, by the adapter's name. */
const RECIPES = {
  lora: 'train-lora',
  serial_lora: 'train-serial',
  localized_lora: 'train-localized',
} as const;

/** The name of an adapter that a grid may compare. */
export type GridAdapter = keyof typeof RECIPES;

/** The adapters that a study of many trainings may compare. */
export const GRID_ADAPTERS = Object.keys(RECIPES) as GridAdapter[];

const { engine, precision, threads, cache, cacheDir, logger } = runFlags;
const { modelName, imageSize, head, batchNorm, headDropout } = modelFlags;

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
  Model: { modelName, imageSize, head, batchNorm, headDropout },
  Training: trainingFlags,
  Run: { engine, precision, threads, cache, cacheDir, logger },
};

/** A cell of a grid: one training of one adapter. */
export type GridCell = StudyCell & { readonly type: GridAdapter };

/**
 * Trains the cells that are not finished, one after another, each in a process of its own; emits nothing.
 *
 * `beside` is the address of a recipe in the folder of the others. A cell that diverges does not end the grid: see `divergedCells`.
 */
export function trainGrid(cells: readonly GridCell[], beside: string): Observable<never> {
  const file = (cell: GridCell) => fileURLToPath(new URL(`${RECIPES[cell.type]}.js`, beside));
  const pending = cells.filter(({ finished }) => !finished);
  say(`${cells.length} runs, ${pending.length} to be trained`);
  return from(pending).pipe(concatMap((cell) => trainCell(file(cell), cell)));
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
