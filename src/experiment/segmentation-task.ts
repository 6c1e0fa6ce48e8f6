import type { Tensor } from '@tensorflow/tfjs-core';
import { concatMap, defer, from, lastValueFrom, pipe, toArray } from 'rxjs';
import { augment } from '../../operators/augment.js';
import { batch } from '../../operators/batch.js';
import { checkSplits } from '../../operators/check-splits.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { mixSamples } from '../../operators/mix-samples.js';
import { normalize } from '../../operators/normalize.js';
import { predict } from '../../operators/predict.js';
import { UserError } from '../base/errors.js';
import type { ImageSize } from '../data/images/image-size.js';
import { formatKey } from '../data/images/pixel-format.js';
import type { SampleCache } from '../data/images/sample-cache.js';
import type { SplitStems } from '../data/recorded-split.js';
import type { Pair, Splits } from '../data/types.js';
import type { BlockOptions } from '../model/vit/block-options.js';
import type { TrainingMode } from '../model/vit/training-mode.js';
import { classColours } from '../tasks/segmentation/class-colours.js';
import { loadSegmenter } from '../tasks/segmentation/load-segmenter.js';
import { classCount, type MaskIds } from '../tasks/segmentation/mask-ids.js';
import { segmentationMetrics } from '../tasks/segmentation/metrics/segmentation-metrics.js';
import { writeOverlays } from '../tasks/segmentation/overlays.js';
import { type Segmenter } from '../tasks/segmentation/segmenter.js';
import { adapterOf, type ChosenAdapterSettings } from './adapter-flags.js';
import { balanceOf } from './balance.js';
import type { TrunkUse } from './cached-trunk.js';
import type { ClassWeights } from './class-weights.js';
import type { MaskSettings } from './data-flags.js';
import { classNamesOf } from './data-flags.js';
import { dividedPairs, type PairsSettings } from './divided-pairs.js';
import { maskFormatOf } from './mask-format-of.js';
import { askedNormalization, recordedNormalization } from './model-record.js';
import { cacheOf, type PictureSettings, pictureBatches } from './picture-batches.js';
import { type PixelSettings, pixelFormatOf } from './pixel-format-of.js';
import { checkQueries, type SegmentationLossSettings, segmentationLoss } from './segmentation-loss.js';
import { recordOf } from './segmenter-record.js';
import type { Task } from './task.js';
import type { TileSettings } from './tiled-splits.js';

/** Settings that choose the pictures and their split, and say how masks store classes. */
export type SplitSettings = PairsSettings & MaskSettings & TileSettings & PixelSettings;

/** The pretrained backbone and its new head. */
export interface BackboneSettings extends PixelSettings {
  readonly maskIds: MaskIds;
  readonly randomSeed: number;
  readonly modelName: string;
  readonly imageSize?: ImageSize | undefined;
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  readonly head?: string | undefined;
  readonly batchNorm: boolean;
  readonly headDropout: number;
  readonly deepSupervision?: number | undefined;
}

/** Settings of `segmentationTask`: the flags of its data, backbone and adapter. */
export interface SegmentationSettings
  extends SplitSettings,
    BackboneSettings,
    ChosenAdapterSettings,
    PictureSettings,
    BlockOptions,
    SegmentationLossSettings {
  readonly mode: TrainingMode;
  readonly classWeights?: ClassWeights | undefined;
  readonly balance?: 'class' | 'weight' | undefined;
}

/** Finds, divides and checks the pairs; `recorded` is the split that a resumed run began with. */
export function segmentationSplits(settings: SplitSettings, recorded?: SplitStems): Promise<Splits> {
  return lastValueFrom(
    defer(() => dividedPairs(settings, recorded)).pipe(
      checkSplits({ ...maskFormatOf(settings), pixels: pixelFormatOf(settings) }),
    ),
  );
}

/** The pretrained backbone of the settings under a new head; only the head is trainable. */
export function loadBackbone(settings: BackboneSettings): Promise<Segmenter> {
  const { modelName, imageSize, randomSeed: seed } = settings;
  return loadSegmenter(modelName, {
    ...headOf(settings),
    imageSize,
    channels: pixelFormatOf(settings).channels,
    normalization: askedNormalization(settings),
    seed,
  });
}

/** The head of the settings. */
export function headOf(settings: BackboneSettings) {
  const { maskIds, head: name, batchNorm, headDropout: dropout, deepSupervision } = settings;
  const auxiliary = deepSupervision !== undefined;
  return { classes: classCount(maskIds), name, batchNorm, dropout, auxiliary };
}

/** What the cache of a segmenter's trunk keeps of a sample, and what that depends on. */
export function trunkUse(
  settings: SplitSettings & { readonly decode?: string | undefined },
  model: Segmenter,
): TrunkUse {
  const { width, height } = model.imageSize;
  const kind = [
    model.imageSize,
    model.normalization,
    settings.decode,
    maskFormatOf(settings),
    ...formatKey(pixelFormatOf(settings)),
  ];
  return { model, targets: { shape: [height, width] }, kind };
}

/** What `segmentationTask` is made of beside its settings. */
export interface SegmentationParts {
  readonly splits: Splits;
  /** The splits in pictures, where `splits` are in tiles. */
  readonly whole?: Splits;
  readonly model: Segmenter;
  readonly cache?: SampleCache | undefined;
  /** The weights of the classes in the loss: `segmentationWeights`. Default: all alike. */
  readonly weights?: readonly number[] | undefined;
}

/**
 * Segmentation as a training task: an adapter in `model`, trained by `mode`, and batches of images and masks.
 *
 * Owns nothing: the model stays the caller's. A `cache` may be shared by several runs on the same data.
 */
export function segmentationTask(
  settings: SegmentationSettings,
  { splits, whole, model, cache, weights }: SegmentationParts,
): Task & { readonly model: Segmenter } {
  const { randomSeed: seed, maskIds: ids, mode, deepSupervision } = settings;
  if (mode === 'head' && deepSupervision !== undefined)
    throw new UserError(
      `--deep-supervision ${deepSupervision}: expected blocks that train, got --mode head; leave one of the two out`,
    );
  checkQueries(settings, model);
  if (mode === 'adapters') model.inject(adapterOf(settings), seed);
  model.train(mode).trainsWith(settings);
  const samples = cache ?? cacheOf(settings);
  const loss = segmentationLoss(settings, weights);
  const classes = classNamesOf(settings);
  return {
    model,
    splits,
    order: balanceOf(settings, splits.train),
    ...(whole && { recordedSplits: whole }),
    classes,
    loss,
    metrics: segmentationMetrics({ classes: classCount(ids), loss }),
    guarded: 'softDice',
    draw: (scored, batches$, path) =>
      batches$.pipe(
        concatLease((batch$) => batch$.pipe(predict(scored, model.normalization))),
        toArray(),
        concatMap((rows) => writeOverlays(path, rows, classes, classColours(maskFormatOf(settings)))),
      ),
    record: { ...recordOf(model, settings.modelName), ...recordedNormalization(settings, model) },
    ...pictureBatches<Pair, Tensor>(
      settings,
      { ...trunkUse(settings, model), masked: true },
      (plan, { changes, mix, size }) =>
        from(plan.samples).pipe(
          mixSamples(
            mix,
            splits.train,
            pipe(
              decode(size, {
                ...maskFormatOf(settings),
                cache: samples,
                mode: settings.decode,
                pixels: pixelFormatOf(settings),
              }),
              augment(...changes),
            ),
          ),
          normalize(model.normalization),
          batch(plan),
        ),
    ),
  };
}
