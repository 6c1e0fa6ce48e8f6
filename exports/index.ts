import '../src/base/node-version.js';

// Items: pictures with masks or labels, found, divided and checked.
export { imageMaskPairs } from '../operators/image-mask-pairs.js';
export { imageFolders } from '../operators/image-folders.js';
export { labelList } from '../operators/label-list.js';
export { type ManifestImage, type ManifestPair, manifest } from '../operators/manifest.js';
export { coco } from '../operators/coco.js';
export { type CocoOptions, type CocoPairs, readCoco } from '../src/data/coco/read-coco.js';
export type { Outlines, Shape } from '../src/data/outlines/outlines.js';
export { shards } from '../operators/shards.js';
export {
  openShards,
  type ShardImage,
  type ShardPair,
  type Shards,
  type ShardsOptions,
} from '../src/data/shards/shards.js';
export type { ShardItem, ShardItemOptions } from '../src/data/shards/shard-item.js';
export { parquet } from '../operators/parquet.js';
export {
  openParquet,
  type ParquetImage,
  type ParquetItems,
  type ParquetOptions,
  type ParquetPair,
} from '../src/data/parquet/parquet.js';
export type { ParquetColumns, ParquetRole } from '../src/data/parquet/parquet-columns.js';
export type { ParquetItem } from '../src/data/parquet/parquet-item.js';
export { type ManifestItem, readManifest } from '../src/data/manifest.js';
export { split } from '../operators/split.js';
export { type CheckSplitsOptions, checkSplits } from '../operators/check-splits.js';
export { findImages } from '../src/data/images/find-images.js';
export { findPairs, type PairsOptions } from '../src/tasks/segmentation/pairs.js';
export { findLabelledImages } from '../src/tasks/classification/image-folders.js';
export { readLabelList } from '../src/tasks/classification/label-list.js';
export { classNames, type LabelledImage, withLabels } from '../src/tasks/classification/labelled-image.js';
export { kFold } from '../operators/k-fold.js';
export { type KFoldOptions, kFolds } from '../src/data/k-fold.js';
export type { GroupOf } from '../src/data/groups.js';
export { shuffled } from '../src/data/shuffled.js';
export { type SplitOptions, splitPairs } from '../src/data/split.js';
export { checkPairs } from '../src/tasks/segmentation/check-files.js';
export { type CheckMasksOptions, checkMasks } from '../src/tasks/segmentation/check-masks.js';
export { classCount, type MaskIds, storedIds } from '../src/tasks/segmentation/mask-ids.js';
export { type MaskFormat, readMaskIds } from '../src/tasks/segmentation/mask-format.js';
export { type Palette, type PaletteClass, parsePalette } from '../src/tasks/segmentation/palette.js';
export { paletteOf, palettes } from '../src/tasks/segmentation/palettes.js';
export { type DataReport, dataReportText, reportData } from '../src/tasks/segmentation/data-report.js';
export { writeContactSheet } from '../src/tasks/segmentation/contact-sheet.js';
export { type IdGrid, maskPng } from '../src/tasks/segmentation/mask-png.js';
export {
  type FilePair,
  IGNORE_INDEX,
  type ImageItem,
  type Item,
  type Pair,
  type Splits,
} from '../src/data/types.js';
export {
  type ByteRange,
  type InMemory,
  nameOf,
  type ParquetCell,
  read,
  type Source,
} from '../src/data/source.js';
export { fixture } from '../src/base/fixture.js';

// Plans: what to load, batch by batch.
export { type BatchPlansOptions, batchesPerEpoch, batchPlans } from '../src/data/batch-plans.js';
export type { BatchPlan, SamplePlan } from '../src/data/types.js';
export {
  concatenate,
  repeat,
  type Sequence,
  sequence,
  shard,
  slice,
  type Worker,
} from '../src/data/sequence.js';
export { type MixOptions, mix } from '../src/data/mix.js';
export type { Order } from '../src/data/order.js';
export { type InterleaveOptions, interleave } from '../src/data/interleave.js';
export { type Balance, balance } from '../src/data/balance.js';

// Samples: decoded, augmented, normalised.
export { type Decoded, type DecodeOptions, decode } from '../operators/decode.js';
export { augment } from '../operators/augment.js';
export { IMAGENET, type Normalization, type Normalized, normalize } from '../operators/normalize.js';
export { cutTiles, type Tiled, type TileOptions, tilesOf } from '../src/data/images/tiles.js';
export type { Tile } from '../src/data/types.js';
export type { MaskedSample, Sample } from '../src/data/types.js';
export { type LoadOptions, loadSample } from '../src/tasks/segmentation/load-sample.js';
export { type LoadImageOptions, loadImage } from '../src/data/images/load-image.js';
export { caches } from '../src/data/images/caches.js';
export { diskCache } from '../src/data/images/disk-cache.js';
export { memoryCache } from '../src/data/images/memory-cache.js';
export type { SampleCache } from '../src/data/images/sample-cache.js';
export { readImage, readMask } from '../src/data/images/image-file.js';
export type { DeepPixels, Pixels } from '../src/data/pixels/values.js';
export { readChannels } from '../src/data/images/read-channels.js';
export type { PixelFormat } from '../src/data/images/pixel-format.js';
export type { ImageSize, Size } from '../src/data/images/image-size.js';
export { resizeBilinear, resizeNearest } from '../src/data/pixels/resize.js';
export type { DecodeMode } from '../src/data/images/decode-natively.js';
export { imageCode } from '../src/data/pixels/addon.js';

// Augmentations: random changes in training.
export { augmentations } from '../src/data/images/augmentations/augmentations.js';
export {
  type Chance,
  type Colours,
  type DeepColours,
  type MaskedColours,
  type MaskedDeepColours,
  oneOf,
  type Range,
  sequential,
  type Transform,
} from '../src/data/images/augmentations/augmentation.js';
export type { MaybeMasked } from '../src/data/images/augmentations/augment-sample.js';
export type { Affine } from '../src/data/pixels/affine.js';
export type { ColourEdit, Edit, Enhancement, MoveEdit } from '../src/data/pixels/edit.js';
export type { Placement } from '../src/data/pixels/placed.js';
export type { Curve, DataMove, Distortion, Move } from '../src/data/pixels/moved.js';
export {
  type AffineOptions,
  affine,
  type CropOptions,
  horizontalFlip,
  randomResizedCrop,
  rotate,
  rotate90,
  verticalFlip,
} from '../src/data/images/augmentations/geometric.js';
export {
  type RandomCropOptions,
  randomCrop,
  type ScaleJitterOptions,
  scaleJitter,
} from '../src/data/images/augmentations/scale-jitter.js';
export { type PerspectiveOptions, perspective } from '../src/data/images/augmentations/perspective.js';
export {
  type ElasticOptions,
  elasticTransform,
  type GridDistortionOptions,
  gridDistortion,
} from '../src/data/images/augmentations/elastic.js';
export { type ColorJitterOptions, colorJitter } from '../src/data/images/augmentations/color-jitter.js';
export {
  type EnhanceOptions,
  randomBrightness,
  randomContrast,
  randomSaturation,
  randomSharpness,
} from '../src/data/images/augmentations/enhance.js';
export {
  type HueSaturationValueOptions,
  hueSaturationValue,
} from '../src/data/images/augmentations/hue-saturation-value.js';
export {
  autoContrast,
  equalize,
  invert,
  posterize,
  solarize,
} from '../src/data/images/augmentations/tone.js';
export { type ClaheOptions, clahe } from '../src/data/images/augmentations/clahe.js';
export {
  type CoarseDropoutOptions,
  coarseDropout,
  gaussianBlur,
  gaussNoise,
  imageCompression,
  randomGamma,
  toGray,
} from '../src/data/images/augmentations/photometric.js';
export {
  type ErasedMask,
  type RandomErasingOptions,
  randomErasing,
} from '../src/data/images/augmentations/erasing.js';
export {
  type RandAugmentOptions,
  randAugment,
  trivialAugment,
} from '../src/data/images/augmentations/rand-augment.js';

// Scales: batches of several sizes.
export { drawnSize, scaledSizes } from '../src/data/images/scales.js';

// Mixing: other samples of the data set, mixed into each.
export { mixSamples } from '../operators/mix-samples.js';
export { mixers } from '../src/data/images/mixing/mixers.js';
export type { Mixed, Mixer, Part } from '../src/data/images/mixing/mixer.js';
export type { Mixable } from '../src/data/images/mixing/mix-plans.js';
export { type BetaMixOptions, cutMix, mixup } from '../src/data/images/mixing/mixup.js';
export { type CopyPasteOptions, classMix, copyPaste } from '../src/data/images/mixing/class-mix.js';
export { type MosaicOptions, mosaic } from '../src/data/images/mixing/mosaic.js';

// Corruptions: changes that a model is tested under.
export type { Corruption, Picture, Severity } from '../src/data/images/corruptions/corruption.js';
export { corrupt, corruptions } from '../src/data/images/corruptions/corruptions.js';

// Batches: tensors on loan.
export { batch } from '../operators/batch.js';
export { collate } from '../operators/collate.js';
export { prefetch } from '../operators/prefetch.js';
export { type TrunkOptions, throughTrunk } from '../operators/through-trunk.js';
export type { TargetRow } from '../src/data/target-rows.js';
export { fixedViews } from '../src/data/fixed-views.js';
export { concatLease } from '../operators/concat-lease.js';
export { type Disposable, Lease } from '../operators/lease.js';
export { type Batch, type NoTargets, noTargets, type Tensors } from '../src/data/batch.js';
export {
  type Labelled,
  type Labels,
  labelTensor,
  softLabelTensor,
} from '../src/tasks/classification/label-tensor.js';

// Models: a pretrained ViT under a head.
export { loadSegmenter } from '../src/tasks/segmentation/load-segmenter.js';
export {
  createSegmenter,
  Segmenter,
  type SegmenterOptions,
  segmenterOf,
} from '../src/tasks/segmentation/segmenter.js';
export {
  Classifier,
  type ClassifierOptions,
  classifierOf,
  createClassifier,
  loadClassifier,
} from '../src/tasks/classification/classifier.js';
export type { Model, Pass } from '../src/model/model.js';
export { type Parameter, type ParameterGroup, Parameters } from '../src/model/parameters.js';
export { AdaptableVit } from '../src/model/vit/adaptable-vit.js';
export { AdapterStart } from '../src/model/vit/adapter-start.js';
export type { BlockOptions } from '../src/model/vit/block-options.js';
export { layerDecay } from '../src/model/vit/layer-decay.js';
export type { TrainingMode } from '../src/model/vit/training-mode.js';
export { readPretrained } from '../src/model/vit/pretrained.js';
export type { Pretrained } from '../src/model/vit/pretrained-of.js';
export { type SaveBackboneOptions, saveBackbone } from '../src/model/vit/save-backbone.js';
export { type SaveOnnxOptions, saveOnnx } from '../src/model/vit/save-onnx.js';
export { saveSegmenter } from '../src/tasks/segmentation/save-segmenter.js';
export { saveClassifier } from '../src/tasks/classification/save-classifier.js';
export { type Grid, type VitConfig, vitConfig } from '../src/model/vit/config.js';

// Heads: what a segmenter puts on its ViT.
export { heads } from '../src/model/heads/heads.js';
export type { Head, HeadOptions, HeadParameter, HeadPass, HeadSite } from '../src/model/heads/head.js';
export type { Queries } from '../src/model/heads/mask-head.js';
export { linear } from '../src/engine/ops/linear.js';
export type { LowRank } from '../src/engine/ops/low-rank.js';
export { type Frozen, type LinearMap, linears } from '../src/engine/ops/linears.js';
export { upsample } from '../src/engine/ops/upsample.js';

// Adapters: small trainable changes of a frozen model, and their files in PEFT's format.
export {
  type AdapterEntry,
  type AdapterKind,
  type AdapterSettings,
  defineAdapter,
  type SearchedFlag,
} from '../src/adapters/adapter-kind.js';
export { adapters } from '../src/adapters/adapters.js';
export { lora } from '../src/adapters/lora.js';
export { BIASES, type Biases, type LoraOptions } from '../src/adapters/lora-options.js';
export { LORA_STARTS, type LoraStart } from '../src/adapters/lora-start.js';
export type { Patterns } from '../src/adapters/patterns.js';
export { type SerialLoraOptions, serialLora } from '../src/adapters/serial-lora.js';
export { type LocalizedLoraOptions, localizedLora } from '../src/adapters/localized-lora.js';
export { type HiraOptions, hira } from '../src/adapters/hira.js';
export { type MissOptions, miss } from '../src/adapters/miss.js';
export { type ShiraOptions, shira } from '../src/adapters/shira.js';
export { bitFit } from '../src/adapters/bitfit.js';
export { layerNormTuning } from '../src/adapters/layer-norm-tuning.js';
export type { PartialTuningOptions } from '../src/adapters/partial-tuning.js';
export type {
  Adapter,
  AdapterOptions,
  AdapterParameter,
  AdapterPass,
  Base,
  MapInputs,
  MergedMap,
  PeftForm,
  PeftKey,
  Site,
} from '../src/model/adapter.js';
export { TARGETS, type Target } from '../src/model/targets.js';
export type { SavePeftOptions } from '../src/adapters/peft/peft-files.js';
export { savePeft } from '../src/adapters/peft/save-peft.js';
export {
  COMBINATIONS,
  type Combination,
  type CombineOptions,
  combineAdapters,
} from '../src/adapters/combine-adapters.js';
export { loadStudyAdapter, type StudyAdapterOptions } from '../src/adapters/study-files.js';
export type { InjectOptions } from '../src/model/vit/held-adapter.js';
export { loadPeft } from '../src/adapters/peft/load-peft.js';
export type { Spelling } from '../src/model/vit/module-names.js';
export type { NamedWeights } from '../src/model/vit/names.js';

// Losses: what training minimises.
export { losses } from '../src/tasks/segmentation/losses/losses.js';
export type {
  CrossEntropyOptions,
  WeightOption,
} from '../src/tasks/segmentation/losses/pixel-cross-entropy.js';
export { crossEntropy } from '../src/tasks/segmentation/losses/cross-entropy.js';
export { diceCrossEntropy } from '../src/tasks/segmentation/losses/dice-cross-entropy.js';
export { dice } from '../src/tasks/segmentation/losses/dice.js';
export { boundary } from '../src/tasks/segmentation/losses/boundary.js';
export { lossSum } from '../src/tasks/segmentation/losses/loss-sum.js';
export { focal } from '../src/tasks/segmentation/losses/focal.js';
export { logCoshDice } from '../src/tasks/segmentation/losses/log-cosh-dice.js';
export { setPrediction } from '../src/tasks/segmentation/losses/set-prediction.js';
export { lovaszSoftmax } from '../src/tasks/segmentation/losses/lovasz-softmax.js';
export { tversky } from '../src/tasks/segmentation/losses/tversky.js';
export { type AbsentOption, softScores } from '../src/tasks/segmentation/losses/soft-scores.js';
export { labelLosses } from '../src/tasks/classification/losses/label-losses.js';
export {
  type LabelCrossEntropyOptions,
  labelCrossEntropy,
} from '../src/tasks/classification/losses/label-cross-entropy.js';
export type { Extras, Loss } from '../src/model/loss.js';

// Metrics: how a split is scored, and what a run follows.
export { type MetricAbout, type Mode, metricOf, metrics } from '../src/events/metric.js';
export type { MetricName, NumberName, Score, Scores, ScoresIn } from '../src/events/scores.js';
export type { Metrics } from '../src/model/metrics.js';
export {
  type SegmentationMetricsOptions,
  segmentationMetrics,
} from '../src/tasks/segmentation/metrics/segmentation-metrics.js';
export {
  type Counts,
  type CountOptions,
  type PictureCounts,
  type PictureScores,
  pictureCounts,
  pictureScores,
  sumOfCounts,
} from '../src/tasks/segmentation/metrics/picture-counts.js';
export type {
  SegmentationScores,
  SegmentationTestScores,
} from '../src/tasks/segmentation/metrics/segmentation-scores.js';
export {
  type ClassificationMetricsOptions,
  type ClassificationScores,
  classificationMetrics,
} from '../src/tasks/classification/metrics/classification-metrics.js';
export { ConfusionMatrix } from '../src/tasks/confusion-matrix.js';
export { lossMetrics } from '../src/train/loss-metrics.js';

// Optimisers: a chain of links, and the schedules of their learning rate.
export { type NamedOptimizerOptions, optimizers } from '../src/train/optimizers/optimizers.js';
export { adam, adamW, type OptimizerOptions } from '../src/train/optimizers/adam.js';
export { type SgdOptions, sgd } from '../src/train/optimizers/sgd.js';
export { accumulate } from '../src/train/optimizers/accumulate.js';
export { chain } from '../src/train/optimizers/chain.js';
export { clipByGlobalNorm } from '../src/train/optimizers/clip-by-global-norm.js';
export { addDecayedWeights } from '../src/train/optimizers/add-decayed-weights.js';
export { type AdamOptions, scaleByAdam } from '../src/train/optimizers/scale-by-adam.js';
export { trace } from '../src/train/optimizers/trace.js';
export { scaleByLearningRate } from '../src/train/optimizers/scale-by-learning-rate.js';
export {
  type GradientTransform,
  mapPacks,
  type Optimizer,
  type Packs,
  type State,
  type StepContext,
  stateless,
} from '../src/train/optimizers/transform.js';
export { type NamedScheduleOptions, schedules } from '../src/train/schedules/schedules.js';
export { constant } from '../src/train/schedules/constant.js';
export { cosine } from '../src/train/schedules/cosine.js';
export { type PlateauOptions, plateau } from '../src/train/schedules/plateau.js';
export { trapezoid } from '../src/train/schedules/trapezoid.js';
export type { Schedule } from '../src/train/schedules/schedule.js';

// A run: its state, and the operators of its pipeline in their order.
export { Run } from '../src/train/run.js';
export type { RunOptions } from '../src/train/run-options.js';
export type { EpochSums, Memory, RunState } from '../src/train/run-state.js';
export { trainStep } from '../operators/train-step.js';
export { scored, type ValidateOptions, validate } from '../operators/validate.js';
export { type CheckpointOptions, checkpoint } from '../operators/checkpoint.js';
export { type Fork, fromFork, keepFork } from '../operators/fork.js';
export type { Every } from '../src/train/every.js';
export { type GuardedRun, type GuardOptions, guard } from '../operators/guard.js';
export { type EarlyStopOptions, earlyStop } from '../operators/early-stop.js';
export { type TestBestOptions, testBest } from '../operators/test-best.js';
export { asRun } from '../operators/as-run.js';
export { DivergedError, failIfDiverged } from '../operators/fail-if-diverged.js';
export type { LossScaling } from '../src/train/loss-scale.js';
export type { StepResult } from '../src/train/step-result.js';
export { Training, training } from '../src/train/training.js';
export type { TrainingOptions } from '../src/train/training-options.js';

// Checkpoints: a run on disk.
export {
  CheckpointStore,
  type CheckpointStoreOptions,
  checkpointStore,
  type SavedRun,
} from '../src/train/checkpoint-store.js';
export {
  type ForkPoint,
  ForkPoints,
  type ForkPointsOptions,
  forkPoints,
} from '../src/train/fork-points.js';
export { type PastOf, pastOf } from '../src/train/past.js';
export type { Checkpoint, CheckpointInfo } from '../src/train/checkpoint.js';
export { readCheckpoint, readCheckpointInfo } from '../src/train/read-checkpoint.js';
export { loadParameters, restore } from '../src/train/restore.js';
export {
  type Dtype,
  type Safetensors,
  type StoredTensor,
  safetensorsBytes,
} from '../src/files/safetensors-format.js';
export { readSafetensors } from '../src/files/safetensors.js';

// Events: all that a run says, and who listens.
export type {
  CheckpointEvent,
  DataPace,
  DoneEvent,
  EpochEvent,
  Event,
  MemoryUse,
  PictureEvent,
  RunEvent,
  StepEvent,
  TrialEvent,
  ValidationEvent,
  WarningEvent,
  WeightsEvent,
} from '../src/events/event.js';
export type { Histogram } from '../src/numeric/histogram.js';
export { readEvents } from '../src/events/read-events.js';
export { logTo } from '../operators/log-to.js';
export { type ProgressOptions, progress } from '../operators/progress.js';
export { type DrawPredictionsOptions, drawPredictions } from '../operators/draw-predictions.js';
export { weightHistograms } from '../operators/weight-histograms.js';
export { loggers } from '../src/loggers/loggers.js';
export { jsonLines } from '../src/loggers/json-lines.js';
export { csv } from '../src/loggers/metrics-csv.js';
export { tensorBoard } from '../src/loggers/tensor-board.js';
export { type MlflowOptions, mlflow } from '../src/loggers/mlflow.js';
export type { MlflowClientOptions } from '../src/loggers/mlflow-http.js';
export { type TrackioOptions, trackio } from '../src/loggers/trackio.js';
export { type WandbOptions, wandb } from '../src/loggers/wandb.js';
export { plots } from '../src/loggers/plots.js';
export { readSummary, type Summary, summary, type TestScores } from '../src/loggers/summary.js';
export {
  folderFor,
  type LoggedRun,
  type Logger,
  type LoggerFor,
  type RunEnd,
  withoutClocks,
} from '../src/loggers/logger.js';

// Trained models: scores and predictions.
export { type Evaluation, evaluate } from '../operators/evaluate.js';
export { predict } from '../operators/predict.js';
export { type StitchedPicture, stitch } from '../operators/stitch.js';
export type { LogitsShape } from '../src/tasks/segmentation/classes-at.js';
export { type Stitched, Stitcher } from '../src/tasks/segmentation/stitcher.js';
export { type OverlaysOptions, overlays } from '../operators/overlays.js';
export { predictLabels } from '../operators/predict-labels.js';
export { labelSheet } from '../operators/label-sheet.js';
export { type LabelPrediction, someOf, writeLabelSheet } from '../src/tasks/classification/label-sheet.js';
export { classColours } from '../src/tasks/segmentation/class-colours.js';
export { type Prediction, writeOverlays } from '../src/tasks/segmentation/overlays.js';
export {
  type PictureBatch,
  type PictureBatchesOptions,
  pictureBatches,
} from '../operators/picture-batches.js';
export { predictPictures } from '../operators/predict-pictures.js';
export { labelProbabilities, type PictureLabels } from '../operators/label-probabilities.js';
export { writeMask, writeOverlay } from '../src/tasks/segmentation/write-mask.js';
export { writePredictions } from '../src/tasks/segmentation/write-predictions.js';

// Engines: what computes.
export {
  type Engine,
  type EngineName,
  type EngineOptions,
  type EngineSource,
  engineInUse,
  engines,
  useEngine,
} from '../src/engine/engine.js';
export type { Precision } from '../src/engine/numbers/precision.js';

// What all of it shares.
export { type Name, type Named, named } from '../src/base/named.js';
export { UserError } from '../src/base/errors.js';
export { normal, type Random, randomStream } from '../src/random/random-stream.js';
