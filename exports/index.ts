import '../src/base/node-version.js';
export * from '../operators/image-mask-pairs.js';
export * from '../operators/image-folders.js';
export * from '../operators/label-list.js';
export * from '../operators/split.js';
export * from '../operators/check-splits.js';
export * from '../operators/lease.js';
export * from '../operators/prefetch.js';
export * from '../operators/decode.js';
export * from '../operators/augment.js';
export * from '../operators/normalize.js';
export * from '../operators/collate.js';
export * from '../operators/batch.js';
export * from '../operators/concat-lease.js';
export * from '../operators/train-step.js';
export * from '../operators/evaluate.js';
export * from '../operators/predict.js';
export * from '../operators/overlays.js';
export * from '../operators/validate.js';
export * from '../operators/checkpoint.js';
export * from '../operators/guard.js';
export * from '../operators/early-stop.js';
export * from '../operators/test-best.js';
export * from '../operators/as-run.js';
export * from '../operators/log-to.js';
export * from '../operators/progress.js';
export * from '../operators/fail-if-diverged.js';
export * from '../src/adapters/adapters.js';
export * from '../src/adapters/bitfit.js';
export * from '../src/adapters/layer-norm-tuning.js';
export * from '../src/adapters/localized-lora.js';
export * from '../src/adapters/lora.js';
export type { PartialTuningOptions } from '../src/adapters/partial-tuning.js';
export * from '../src/adapters/peft/load-peft.js';
export { type SavePeftOptions, savePeft } from '../src/adapters/peft/save-peft.js';
export * from '../src/adapters/serial-lora.js';
export * from '../src/base/errors.js';
export { type Name, type Named, named } from '../src/base/named.js';
export * from '../src/data/batch.js';
export * from '../src/data/batch-plans.js';
export type { Affine } from '../src/data/images/augmentations/affine.js';
export {
  augmentSample,
  type Chance,
  type Colours,
  oneOf,
  type Range,
  type Transform,
} from '../src/data/images/augmentations/augmentation.js';
export * from '../src/data/images/augmentations/augmentations.js';
export * from '../src/data/images/augmentations/color-jitter.js';
export * from '../src/data/images/augmentations/geometric.js';
export * from '../src/data/images/augmentations/photometric.js';
export type { Corruption, Picture, Severity } from '../src/data/images/corruptions/corruption.js';
export * from '../src/data/images/corruptions/corruptions.js';
export * from '../src/data/images/image-file.js';
export * from '../src/data/images/load-image.js';
export * from '../src/data/images/resize.js';
export * from '../src/data/images/sample-cache.js';
export * from '../src/base/fixture.js';
export * from '../src/data/split.js';
export * from '../src/data/types.js';
export * from '../src/engine/engine.js';
export { linear } from '../src/engine/ops/linear.js';
export { upsample } from '../src/engine/ops/upsample.js';
export * from '../src/events/event.js';
export * from '../src/events/metric.js';
export * from '../src/events/read-events.js';
export type { MetricName, Score, Scores } from '../src/events/scores.js';
export * from '../src/files/safetensors.js';
export * from '../src/loggers/json-lines.js';
export * from '../src/loggers/logger.js';
export * from '../src/loggers/loggers.js';
export * from '../src/loggers/metrics-csv.js';
export * from '../src/loggers/plots.js';
export * from '../src/loggers/summary.js';
export * from '../src/loggers/tensor-board.js';
export type {
  Adapter,
  AdapterOptions,
  AdapterParameter,
  AdapterPass,
  Base,
  MergedMap,
  PeftForm,
  Site,
} from '../src/model/adapter.js';
export type { Head, HeadOptions, HeadParameter, HeadPass } from '../src/model/heads/head.js';
export { heads } from '../src/model/heads/heads.js';
export * from '../src/model/heads/patch-classifier.js';
export type { Loss } from '../src/model/loss.js';
export type { Metrics } from '../src/model/metrics.js';
export type { Model, Pass } from '../src/model/model.js';
export * from '../src/model/parameters.js';
export { AdaptableVit } from '../src/model/vit/adaptable-vit.js';
export { type VitConfig, vitConfig } from '../src/model/vit/config.js';
export type { Spelling } from '../src/model/vit/names.js';
export * from '../src/model/vit/pretrained.js';
export * from '../src/model/vit/save-backbone.js';
export { TARGETS, type Target } from '../src/model/targets.js';
export type { TrainingMode } from '../src/model/vit/training-mode.js';
export * from '../src/random/random-stream.js';
export { checkPairs } from '../src/tasks/segmentation/check-files.js';
export { type CheckMasksOptions, checkMasks } from '../src/tasks/segmentation/check-masks.js';
export * from '../src/tasks/segmentation/load-sample.js';
export * from '../src/tasks/segmentation/losses/cross-entropy.js';
export * from '../src/tasks/segmentation/losses/dice-cross-entropy.js';
export * from '../src/tasks/segmentation/losses/focal.js';
export * from '../src/tasks/segmentation/losses/log-cosh-dice.js';
export * from '../src/tasks/segmentation/losses/losses.js';
export * from '../src/tasks/segmentation/losses/lovasz-softmax.js';
export { type AbsentOption, softScores } from '../src/tasks/segmentation/losses/soft-scores.js';
export * from '../src/tasks/segmentation/losses/tversky.js';
export type { MaskIds } from '../src/tasks/segmentation/mask-ids.js';
export * from '../src/tasks/classification/classifier.js';
export * from '../src/tasks/classification/image-folders.js';
export * from '../src/tasks/classification/label-list.js';
export * from '../src/tasks/classification/label-tensor.js';
export { classNames, type LabelledImage } from '../src/tasks/classification/labelled-image.js';
export * from '../src/tasks/classification/losses/label-cross-entropy.js';
export * from '../src/tasks/classification/metrics/classification-metrics.js';
export * from '../src/tasks/confusion-matrix.js';
export * from '../src/tasks/segmentation/metrics/metric.js';
export * from '../src/tasks/segmentation/metrics/segmentation-metrics.js';
export * from '../src/tasks/segmentation/metrics/segmentation-scores.js';
export * from '../src/tasks/segmentation/overlays.js';
export * from '../src/tasks/segmentation/pairs.js';
export * from '../src/tasks/segmentation/segmenter.js';
export * from '../src/tasks/segmentation/write-predictions.js';
export * from '../src/train/checkpoint.js';
export * from '../src/train/checkpoint-store.js';
export type { Every } from '../src/train/every.js';
export * from '../src/train/loss-metrics.js';
export * from '../src/train/optimizers/accumulate.js';
export * from '../src/train/optimizers/adam.js';
export * from '../src/train/optimizers/add-decayed-weights.js';
export * from '../src/train/optimizers/chain.js';
export * from '../src/train/optimizers/clip-by-global-norm.js';
export * from '../src/train/optimizers/optimizers.js';
export * from '../src/train/optimizers/scale-by-adam.js';
export * from '../src/train/optimizers/scale-by-learning-rate.js';
export * from '../src/train/optimizers/sgd.js';
export * from '../src/train/optimizers/trace.js';
export * from '../src/train/optimizers/transform.js';
export * from '../src/train/run.js';
export type { EpochSums, Memory, RunState } from '../src/train/run-state.js';
export * from '../src/train/schedules/constant.js';
export * from '../src/train/schedules/cosine.js';
export * from '../src/train/schedules/plateau.js';
export type { Schedule } from '../src/train/schedules/schedule.js';
export * from '../src/train/schedules/schedules.js';
export * from '../src/train/schedules/trapezoid.js';
export * from '../src/train/training.js';
