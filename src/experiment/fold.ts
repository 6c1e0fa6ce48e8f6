import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { kFolds } from '../data/k-fold.js';
import type { Item, Splits } from '../data/types.js';
import { groupsOf, type SourceSettings } from './item-sources.js';

/** The flag of one fold of a cross-validation. */
export const foldFlag = z
  .string()
  .regex(/^[1-9]\d*\/[1-9]\d*$/, 'expected K/N, such as 1/5')
  .optional()
  .describe(
    'K/N = fold K of N of a cross-validation in place of --split: it validates, the others train, none tests; default: no folds',
  );

/** The settings that divide items into folds. */
export interface FoldSettings extends SourceSettings {
  readonly fold?: string | undefined;
  readonly split: string;
  readonly randomSeed: number;
  readonly dataPercentage: number;
}

/**
 * The fold of the settings, the same N folds for the same seed; undefined where they ask for none.
 *
 * @param by the name of an item's class, of which each fold has its share. Default: all are one.
 * @throws UserError for a fold that is none of N, and beside another rule of division.
 */
export function foldOf<I extends Item>(
  settings: FoldSettings,
  items: readonly I[],
  by?: (item: I) => string,
): Splits<I> | undefined {
  const { fold, split, randomSeed: seed, dataPercentage } = settings;
  if (fold === undefined) return undefined;
  const [index, folds] = fold.split('/').map(Number) as [number, number];
  if (index > folds || folds < 2)
    throw new UserError(`--fold ${fold}: expected K/N with K from 1 to N and N from 2 up`, { fold });
  if (split !== 'upstream' && split !== 'stratified')
    throw new UserError(
      `--fold ${fold}: expected it without --split ${split}, got both; each divides all items`,
      { fold },
    );
  if (dataPercentage !== 1)
    throw new UserError(
      `--fold ${fold}: expected it without --data-percentage, got ${dataPercentage}; folds take all items`,
      { fold },
    );
  try {
    return kFolds(items, { folds, seed, by, groups: groupsOf(settings, items) })[index - 1]!;
  } catch (cause) {
    if (!(cause instanceof UserError) || !cause.message.startsWith('folds:')) throw cause;
    throw new UserError(cause.message.replace('folds:', `--fold ${fold}:`), { fold }, { cause });
  }
}
