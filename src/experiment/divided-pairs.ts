import { relative } from 'node:path';
import { UserError } from '../base/errors.js';
import { checkOverlap } from '../data/check-overlap.js';
import { few, type SplitStems } from '../data/recorded-split.js';
import { shuffled } from '../data/shuffled.js';
import { type SplitOptions, splitPairs } from '../data/split.js';
import type { FilePair, Pair, Splits } from '../data/types.js';
import { findPairs, type PairsOptions } from '../tasks/segmentation/pairs.js';
import { foldOf } from './fold.js';
import { groupsOf, type SourceSettings, sourcedPairs, sourceOf } from './item-sources.js';

/** The splits that a rule of division makes of pairs, beside `SplitOptions`' rules. */
type OfficialRule = 'folders' | 'lists';

/** How pairs are divided: by a rule with a seed, by sub-folders, or by a list a split. */
export type SplitRule = NonNullable<SplitOptions['rule']> | OfficialRule;

/** Settings that choose the pairs and their split. */
export interface PairsSettings extends SourceSettings {
  readonly imageDir: string;
  readonly maskDir: string;
  readonly list: readonly string[];
  readonly imageSuffix?: string | undefined;
  readonly maskSuffix?: string | undefined;
  readonly trainList?: readonly string[] | undefined;
  readonly validationList?: readonly string[] | undefined;
  readonly testList?: readonly string[] | undefined;
  readonly dataPercentage: number;
  readonly randomSeed: number;
  readonly split: SplitRule;
  readonly fold?: string | undefined;
  readonly shrink: 'all' | 'keep-test';
}

const SIDES = ['train', 'validation', 'test'] as const;
type Side = (typeof SIDES)[number];
type Sides = Readonly<Record<Side, readonly FilePair[]>>;

/** The names of the sub-folders of a split. */
const FOLDERS: Readonly<Record<Side, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation', 'dev'],
  test: ['test', 'testing'],
};

/** The pairs that the settings name, of all splits. */
export async function pairsOf(settings: PairsSettings, lists = listsOf(settings)): Promise<readonly Pair[]> {
  return (await sourcedPairs(settings)) ?? foundPairs(settings, lists);
}

function foundPairs(settings: PairsSettings, lists: readonly string[]): Promise<FilePair[]> {
  return findPairs(settings.imageDir, settings.maskDir, { ...suffixesOf(settings), lists });
}

/** All lists that the settings name. */
export function listsOf(settings: PairsSettings): readonly string[] {
  const { list, trainList = [], validationList = [], testList = [] } = settings;
  return [...list, ...trainList, ...validationList, ...testList];
}

/**
 * Finds the pairs and divides them: by seed, by the sub-folders `train`, `val` and `test` of the folder of images, or by a
 * list a split. `recorded` is the split that a resumed run began with, which takes precedence.
 *
 * @throws UserError for what `findPairs` refuses, a picture in two splits or in no sub-folder, and no training pair.
 */
export async function dividedPairs(settings: PairsSettings, recorded?: SplitStems): Promise<Splits> {
  const { randomSeed: seed, dataPercentage: percentage, shrink, split: rule } = settings;
  if (recorded) return splitPairs(await pairsOf(settings), { seed, recorded });
  if (settings.fold !== undefined) return foldOf(settings, await pairsOf(refuseLists(settings)))!;
  if (rule !== 'folders' && rule !== 'lists') {
    const pairs = await pairsOf(refuseLists(settings));
    return splitPairs(pairs, { seed, percentage, rule, shrink, groups: groupsOf(settings, pairs) });
  }
  const [flag] = sourceOf(settings) ?? [];
  if (flag ?? settings.splitBy)
    throw new UserError(
      `--split ${rule}: expected it without ${flag ?? '--split-by'}, got both; divide by seed, or name folders`,
    );
  const sides = await (rule === 'lists' ? byLists(settings) : byFolders(refuseLists(settings)));
  checkOverlap(sides);
  return shrunk(sides, settings);
}

async function byLists(settings: PairsSettings): Promise<Sides> {
  const { imageDir, maskDir, list, trainList = [], validationList = [], testList = [] } = settings;
  if (trainList.length === 0) throw new UserError('--train-list: required for --split lists');
  if (list.length > 0)
    throw new UserError(
      '--list: expected it without --train-list, got both; the lists of the splits select pairs themselves',
    );
  const side = (lists: readonly string[], listFlag: string) =>
    lists.length === 0 ? [] : findPairs(imageDir, maskDir, { ...suffixesOf(settings), lists, listFlag });
  return {
    train: await side(trainList, '--train-list'),
    validation: await side(validationList, '--validation-list'),
    test: await side(testList, '--test-list'),
  };
}

async function byFolders(settings: PairsSettings): Promise<Sides> {
  const { imageDir } = settings;
  const sides: Record<Side, FilePair[]> = { train: [], validation: [], test: [] };
  const strays: string[] = [];
  for (const pair of await foundPairs(settings, listsOf(settings))) {
    const [folder] = relative(imageDir, pair.image).split('/');
    const side = SIDES.find((name) => FOLDERS[name].includes(folder!.toLowerCase()));
    if (side === undefined) strays.push(relative(imageDir, pair.image));
    else sides[side].push(pair);
  }
  if (strays.length > 0)
    throw new UserError(
      `${imageDir}: expected pictures in train, val and test for --split folders, got ${few(strays)}; move them, or divide by --train-list`,
      { path: imageDir, strays },
    );
  return sides;
}

/** Official splits of which `--data-percentage` takes a share, the same for the same seed. */
function shrunk(sides: Sides, { dataPercentage, randomSeed, shrink, imageDir, split }: PairsSettings) {
  const part = (pairs: readonly FilePair[]) =>
    dataPercentage === 1
      ? pairs
      : shuffled(pairs, randomSeed).slice(0, Math.floor(pairs.length * dataPercentage));
  const splits = {
    train: part(sides.train),
    validation: part(sides.validation),
    test: shrink === 'all' ? part(sides.test) : sides.test,
  };
  if (splits.train.length === 0)
    throw new UserError(
      `${imageDir}: expected a training pair for --split ${split}, got none of ${sides.train.length} at ${100 * dataPercentage} %`,
      { path: imageDir },
    );
  const used = new Set(SIDES.flatMap((side) => splits[side]));
  const unused = SIDES.flatMap((side) => sides[side].filter((pair) => !used.has(pair)));
  return { ...splits, unused };
}

function refuseLists(settings: PairsSettings): PairsSettings {
  const { trainList, validationList, testList, split } = settings;
  if (trainList ?? validationList ?? testList)
    throw new UserError(
      `--split ${split}: expected it without --train-list, --validation-list and --test-list, got both; leave one out`,
    );
  return settings;
}

function suffixesOf({ imageSuffix, maskSuffix }: PairsSettings): PairsOptions {
  return { imageSuffix, maskSuffix };
}
