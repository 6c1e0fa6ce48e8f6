import { defer, lastValueFrom, map, type Observable } from 'rxjs';
import { checkSplits } from '../../operators/check-splits.js';
import { imageFolders } from '../../operators/image-folders.js';
import { labelList } from '../../operators/label-list.js';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import type { ImageSize } from '../data/images/image-size.js';
import { few, type SplitStems } from '../data/recorded-split.js';
import { splitPairs } from '../data/split.js';
import type { Splits } from '../data/types.js';
import { pretrainedLabels } from '../model/vit/pretrained.js';
import type { Pretrained } from '../model/vit/pretrained-of.js';
import { classNames, type LabelledImage, withLabels } from '../tasks/classification/labelled-image.js';
import { foldOf } from './fold.js';
import { groupsOf, type SourceSettings, sourcedImages, sourceOf } from './item-sources.js';
import { pixelFormatOf } from './pixel-format-of.js';

/** Which pictures, which side of the split, and the pretrained backbone with the head that starts on it. */
export interface LabelSettings extends Omit<SourceSettings, 'coco'> {
  /** A folder with a sub-folder for each class, or else `labels`. Default: the embedded pictures. */
  readonly imageDir?: string | undefined;
  /** A CSV of file,label. */
  readonly labels?: string | undefined;
  readonly dataPercentage: number;
  readonly randomSeed: number;
  readonly split: 'stratified' | 'upstream' | 'hash';
  readonly shrink: 'all' | 'keep-test';
  readonly modelName: string;
  readonly imageSize?: ImageSize | undefined;
  readonly channels?: number | undefined;
  readonly range?: readonly number[] | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly head: 'new' | 'keep';
}

/** Labelled splits, and the names of the classes in the order of their labels. */
export interface LabelledSplits {
  readonly splits: Splits<LabelledImage>;
  readonly classes: readonly string[];
}

/** The labelled pictures of the settings. @throws UserError where they name two sources, or one that is not there. */
export function labelledImages(
  settings: Pick<LabelSettings, 'imageDir' | 'labels' | 'manifest' | 'shards' | 'parquet' | 'columns'>,
): Observable<readonly LabelledImage[]> {
  const { imageDir, labels } = settings;
  const [flag] = sourceOf(settings) ?? [];
  if (flag !== undefined && (imageDir ?? labels) !== undefined)
    throw new UserError(
      `${flag}: expected it without ${imageDir === undefined ? '--labels' : '--image-dir'}, got both; each names all pictures`,
    );
  if (flag !== undefined) return defer(async () => (await sourcedImages(settings))!);
  if (imageDir !== undefined && labels !== undefined)
    throw new UserError(
      `--labels ${labels}: expected it without --image-dir, got both; a list names its files itself`,
    );
  if (imageDir !== undefined) return imageFolders(imageDir);
  return labelList(labels ?? fixture('creatures', 'plain', 'labels.csv'));
}

/**
 * Finds, divides and checks labelled pictures; `recorded` is the split that a resumed run began with. The classes are
 * those of all pictures, sorted, or with `head: 'keep'` the pretrained model's.
 *
 * @throws UserError for a head to keep whose classes, by the model's config.json, are not those of the pictures.
 */
export async function classificationSplits(
  settings: LabelSettings,
  recorded?: SplitStems,
): Promise<LabelledSplits> {
  const found = await lastValueFrom(
    labelledImages(settings).pipe(
      map((images) => dividedImages(settings, images, recorded)),
      checkSplits({ pixels: pixelFormatOf(settings) }),
    ),
  );
  const { train, validation, test, unused = [] } = found;
  const own = classNames([...train, ...validation, ...test, ...unused]);
  const classes =
    settings.head === 'keep' ? keptClasses(own, await pretrainedLabels(settings.modelName)) : own;
  const label = (images: readonly LabelledImage[]) => withLabels(images, classes);
  return {
    classes,
    splits: { train: label(train), validation: label(validation), test: label(test), unused: label(unused) },
  };
}

function dividedImages(
  settings: LabelSettings,
  images: readonly LabelledImage[],
  recorded: SplitStems | undefined,
): Splits<LabelledImage> {
  const { randomSeed: seed, dataPercentage: percentage, split: rule, shrink } = settings;
  if (recorded) return splitPairs(images, { seed, recorded });
  const by = rule === 'stratified' ? ({ className }: LabelledImage) => className : undefined;
  const divided = rule === 'stratified' ? { by } : { rule };
  return (
    foldOf(settings, images, by) ??
    splitPairs(images, { seed, percentage, shrink, groups: groupsOf(settings, images), ...divided })
  );
}

/** The pretrained model's classes, where they are those of the pictures; a model that names none has these. */
function keptClasses(own: readonly string[], { labels, path }: Pick<Pretrained, 'labels' | 'path'>) {
  if (!labels) return own;
  if (labels.toSorted().join('\n') === own.toSorted().join('\n')) return labels;
  throw new UserError(
    `--head keep: expected pictures of the ${labels.length} classes of ${path}, ${few(labels)}, got ${own.length}, ${few(own)}; rename them, or start a new head with --head new`,
    { path, labels, classes: own },
  );
}
