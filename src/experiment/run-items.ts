import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { fixture } from '../base/fixture.js';
import type { SplitOptions } from '../data/split.js';
import type { ImageItem, Pair } from '../data/types.js';
import { findLabelledImages } from '../tasks/classification/image-folders.js';
import { readLabelList } from '../tasks/classification/label-list.js';
import { type LabelledImage, withLabels } from '../tasks/classification/labelled-image.js';
import { checkMasks } from '../tasks/segmentation/check-masks.js';
import { findPairs } from '../tasks/segmentation/pairs.js';
import { listsOf, pairsOf } from './divided-pairs.js';
import { sourceOf } from './item-sources.js';
import { labelledImages } from './labelled-splits.js';
import { maskFormatOf } from './mask-format-of.js';
import type { ClassificationRun, SegmentationRun } from './run-settings.js';
import { isClassification, type TrainedRun } from './trained-runs.js';

/** The present location of a run's pictures. Default: where it found them. */
export interface RunPlaces {
  readonly imageDir?: string | undefined;
  readonly maskDir?: string | undefined;
  readonly labels?: string | undefined;
}

/** The items of a run's task: how they are found, and how they were divided. */
export interface RunItems<I extends ImageItem = ImageItem> {
  /** The folder or list that they come from, for messages. */
  readonly from: string;
  /** The folders of the images, of the training and of now. */
  readonly imageDirs: readonly string[];
  /** Whether they are the embedded pictures. */
  readonly embedded: boolean;
  readonly rule: Pick<SplitOptions<I>, 'rule' | 'by'>;
  /** Those of now. Where the run recorded its splits, lists that were left behind are not missed: the record narrows as much. */
  find(recorded: boolean): Promise<readonly I[]>;
  /** The items of a style's folder. */
  ofStyle(folder: string): Promise<readonly I[]>;
  /** Lines for the user about items that may not be meant. @throws UserError for those that cannot be. */
  check(items: readonly I[]): Promise<string[]>;
}

/** The items of a run, by its task. */
export function runItems(run: TrainedRun, places: RunPlaces): RunItems {
  const items = isClassification(run)
    ? labelledItems(run.settings, places)
    : pairedItems(run.settings as SegmentationRun, places);
  return items as unknown as RunItems;
}

function pairedItems(settings: SegmentationRun, places: RunPlaces): RunItems<Pair> {
  const { imageDir = settings.imageDir, maskDir = settings.maskDir } = places;
  // Folders that are named now take the place of what the run learned from.
  const source = places.maskDir === undefined ? settings : {};
  return {
    from: sourceOf(source)?.[1] ?? imageDir,
    imageDirs: [settings.imageDir, imageDir],
    embedded:
      sourceOf(source) === undefined &&
      resolve(imageDir) === resolve(fixture('creatures', 'plain', 'images')),
    rule: { rule: settings.split === 'hash' ? 'hash' : 'upstream' },
    find: (recorded) =>
      pairsOf(
        {
          ...settings,
          manifest: undefined,
          shards: undefined,
          parquet: undefined,
          coco: undefined,
          ...source,
          imageDir,
          maskDir,
        },
        listsOf(settings).filter((path) => !recorded || existsSync(path)),
      ),
    ofStyle: (folder) => findPairs(join(folder, 'images'), join(folder, 'masks')),
    check: (pairs) => checkMasks(pairs, maskFormatOf(settings)),
  };
}

function labelledItems(settings: ClassificationRun, places: RunPlaces): RunItems<LabelledImage> {
  const given = places.imageDir !== undefined || places.labels !== undefined;
  const { imageDir, labels } = given ? places : settings;
  const source = given ? {} : settings;
  const named = (images: readonly LabelledImage[]) => withLabels(images, settings.classNames);
  const by = ({ className }: LabelledImage) => className;
  return {
    from: sourceOf(source)?.[1] ?? imageDir ?? labels ?? fixture('creatures', 'plain', 'labels.csv'),
    imageDirs: imageDir === undefined ? [] : [imageDir],
    embedded: imageDir === undefined && labels === undefined && sourceOf(source) === undefined,
    rule: settings.split === 'stratified' ? { by } : { rule: settings.split },
    find: async () => named(await lastValueFrom(labelledImages({ ...source, imageDir, labels }))),
    ofStyle: async (folder) => {
      const list = join(folder, 'labels.csv');
      return named(
        existsSync(list) ? await readLabelList(list) : await findLabelledImages(join(folder, 'images')),
      );
    },
    check: async () => [],
  };
}
