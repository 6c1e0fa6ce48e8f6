import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { concatMap, from, pipe, toArray } from 'rxjs';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { mixSamples } from '../../operators/mix-samples.js';
import { normalize } from '../../operators/normalize.js';
import { predictLabels } from '../../operators/predict-labels.js';
import { UserError } from '../base/errors.js';
import { formatKey } from '../data/images/pixel-format.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import type { BlockOptions } from '../model/vit/block-options.js';
import type { TrainingMode } from '../model/vit/training-mode.js';
import { type Classifier, loadClassifier } from '../tasks/classification/classifier.js';
import { writeLabelSheet } from '../tasks/classification/label-sheet.js';
import { labelTensor, softLabelTensor } from '../tasks/classification/label-tensor.js';
import type { LabelledImage } from '../tasks/classification/labelled-image.js';
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
import type { LabelledSplits, LabelSettings } from './labelled-splits.js';
import { askedNormalization, recordedNormalization } from './model-record.js';
import { cacheOf, type PictureSettings, pictureBatches } from './picture-batches.js';
import { type PixelSettings, pixelFormatOf } from './pixel-format-of.js';
import type { Task } from './task.js';

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
