import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { concatMap, defer, from, lastValueFrom, map, type Observable, pipe, toArray } from 'rxjs';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { checkSplits } from '../../operators/check-splits.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { imageFolders } from '../../operators/image-folders.js';
import { labelList } from '../../operators/label-list.js';
import { mixSamples } from '../../operators/mix-samples.js';
import { normalize } from '../../operators/normalize.js';
import { predictLabels } from '../../operators/predict-labels.js';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import type { ImageSize } from '../data/images/image-size.js';
import { formatKey } from '../data/images/pixel-format.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import { few, type SplitStems } from '../data/recorded-split.js';
import { splitPairs } from '../data/split.js';
import type { Splits } from '../data/types.js';
import type { BlockOptions } from '../model/vit/block-options.js';
import { pretrainedLabels } from '../model/vit/pretrained.js';
import type { Pretrained } from '../model/vit/pretrained-of.js';
import type { TrainingMode } from '../model/vit/training-mode.js';
import { type Classifier, loadClassifier } from '../tasks/classification/classifier.js';
import { writeLabelSheet } from '../tasks/classification/label-sheet.js';
import { labelTensor, softLabelTensor } from '../tasks/classification/label-tensor.js';
import { classNames, type LabelledImage, withLabels } from '../tasks/classification/labelled-image.js';
import { labelLosses } from '../tasks/classification/losses/label-losses.js';
import {
  type ClassificationScores,
  classificationMetrics,
} from '../tasks/classification/metrics/classification-metrics.js';
import { adapterOf, type ChosenAdapterSettings } from './adapter-flags.js';
import { balanceOf } from './balance.js';
import type { TrunkUse } from './cached-trunk.js';
import { type ClassWeights, classificationWeights, weightedLoss } from './class-weights.js';
import { classifierRecordOf } from './classifier-record.js';
import { foldOf } from './fold.js';
import { groupsOf, type SourceSettings, sourcedImages, sourceOf } from './item-sources.js';
import { askedNormalization, recordedNormalization } from './model-record.js';
import { cacheOf, type PictureSettings, pictureBatches } from './picture-batches.js';
import { type PixelSettings, pixelFormatOf } from './pixel-format-of.js';
import type { Task } from './task.js';

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

/** Settings of `classificationTask`: the flags of its data, backbone and adapter. */
export interface ClassificationSettings
  extends LabelSettings,
    ChosenAdapterSettings,
    PictureSettings,
    BlockOptions {
  readonly mode: TrainingMode;
  readonly loss: string;
  readonly labelSmoothing: number;
  readonly classWeights?: ClassWeights | undefined;
  readonly balance?: 'class' | 'weight' | undefined;
  readonly topK: number;
  /** The score that chooses the best checkpoint. */
  readonly metric?: string;
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

/** The pretrained backbone of the settings under its classifier; only the head is trainable. */
export function loadLabelBackbone(settings: LabelSettings, { classes }: LabelledSplits): Promise<Classifier> {
  const { modelName, imageSize, mean, std, head, randomSeed: seed } = settings;
  return loadClassifier(modelName, {
    classes: classes.length,
    head,
    imageSize,
    channels: pixelFormatOf(settings).channels,
    normalization: askedNormalization({ mean, std }),
    seed,
  });
}

/** What the cache of a classifier's trunk keeps of a sample, and what that depends on. */
export function labelTrunkUse(
  settings: PixelSettings & { readonly decode?: string | undefined },
  model: Classifier,
): TrunkUse {
  return {
    model,
    targets: { shape: [] },
    kind: [model.imageSize, model.normalization, settings.decode, ...formatKey(pixelFormatOf(settings))],
  };
}

/** Classification as a run trains it. */
export type ClassificationTask = Task<LabelledImage, Tensor, Tensor2D, Tensor1D, ClassificationScores> & {
  readonly model: Classifier;
};

/**
 * Classification as a run trains it: an adapter in `model`, which trains by `mode`, and batches of images and labels.
 *
 * Owns nothing: the model stays the caller's. A `cache` may be shared by several runs on the same data.
 *
 * @throws UserError for a best checkpoint by a top-k accuracy that is always 1.
 */
export function classificationTask(
  settings: ClassificationSettings,
  { splits, classes, model, cache }: LabelledSplits & { model: Classifier; cache?: SampleCache | undefined },
): ClassificationTask {
  const { mode, randomSeed: seed, labelSmoothing: smoothing, topK: k } = settings;
  checkTopK('--metric', settings.metric, k, classes);
  if (mode === 'adapters') model.inject(adapterOf(settings), seed);
  model.train(mode).trainsWith(settings);
  const samples = cache ?? cacheOf(settings);
  // Batches that are mixed only train: what takes them is the loss, and its targets may be shares.
  const shares = softLabelTensor(classes.length) as unknown as typeof labelTensor;
  const weights = classificationWeights(settings, splits, classes);
  // `smoothing` beside a property that is watched: spread, it would be read.
  const make = (options: object) => labelLosses.make(settings.loss, Object.assign(options, { smoothing }));
  const loss = weightedLoss(make, settings.loss, weights);
  return {
    model,
    splits,
    order: balanceOf(settings, splits.train),
    classes,
    loss,
    metrics: classificationMetrics({ classes: classes.length, loss, k }),
    guarded: 'accuracy',
    draw: (scored, batches$, path) =>
      batches$.pipe(
        concatLease((batch$) => batch$.pipe(predictLabels(scored, model.normalization))),
        toArray(),
        concatMap((rows) => writeLabelSheet(path, rows, classes)),
      ),
    record: { ...classifierRecordOf(model, settings), ...recordedNormalization(settings, model) },
    ...pictureBatches<LabelledImage, Tensor1D>(
      settings,
      { ...labelTrunkUse(settings, model), masked: false },
      (plan, { changes, mix, size }) =>
        from(plan.samples).pipe(
          mixSamples(
            mix,
            splits.train,
            pipe(
              decode(size, { cache: samples, mode: settings.decode, pixels: pixelFormatOf(settings) }),
              augment(...changes),
            ),
          ),
          normalize(model.normalization),
          batch(plan, mix.length > 0 ? shares : labelTensor),
        ),
    ),
  };
}

/** @throws UserError for a flag that follows top-k accuracy where it is always 1. */
export function checkTopK(
  flag: string,
  metric: string | undefined,
  topK: number,
  classes: readonly string[],
): void {
  if (metric !== 'topK' || topK < classes.length) return;
  throw new UserError(
    `${flag} topK: expected --top-k below the number of classes, ${classes.length}, got ${topK}, with which every picture is right; lower it, or choose another metric`,
    { topK, classes: classes.length },
  );
}
