export type {
  Adapter,
  AdapterOptions,
  AdapterParameter,
  AdapterPass,
  Base,
  PeftForm,
  Site,
} from './adapters/adapter.js';
export * from './adapters/adapter-named.js';
export * from './adapters/load-peft.js';
export * from './adapters/localized-lora.js';
export * from './adapters/lora.js';
export { type SavePeftOptions, savePeft } from './adapters/save-peft.js';
export * from './adapters/serial-lora.js';
export * from './config/fixture.js';
export type { Config, FlagGroups } from './config/flag.js';
export { type CommandLine, flags, packageVersion } from './config/flags.js';
export * from './config/nearest.js';
export * from './config/recipe.js';
export * from './config/recipe-flags.js';
export * from './config/scoring-flags.js';
export * from './creatures/families.js';
export * from './creatures/scene.js';
export * from './creatures/styles.js';
export * from './creatures/trimap.js';
export {
  augmentSample,
  type Chance,
  type Colours,
  oneOf,
  type Range,
  type Transform,
} from './data/augmentation.js';
export * from './data/augmentation-named.js';
export * from './data/batch-plans.js';
export * from './data/color-jitter.js';
export type { Corruption, Picture, Severity } from './data/corruption.js';
export * from './data/corruptions.js';
export * from './data/download.js';
export * from './data/geometric.js';
export * from './data/image-file.js';
export * from './data/load-sample.js';
export * from './data/owned-folder.js';
export * from './data/pairs.js';
export * from './data/photometric.js';
export * from './data/resize.js';
export * from './data/sample-cache.js';
export * from './data/split.js';
export * from './data/style-folders.js';
export * from './data/tar.js';
export * from './data/types.js';
export * from './engine/engine.js';
export * from './engine/parameters.js';
export * from './engine/versions.js';
export * from './errors.js';
export * from './events/event.js';
export * from './events/json-lines.js';
export * from './events/logger.js';
export * from './events/metrics-csv.js';
export * from './events/plots.js';
export * from './events/summary.js';
export * from './events/tensor-board.js';
export * from './files/atomic.js';
export * from './files/safetensors.js';
export * from './random.js';
export * from './report/aggregate.js';
export * from './report/closing.js';
export * from './report/overlays.js';
export * from './report/render.js';
export * from './report/run-plots.js';
export * from './report/score-files.js';
export * from './report/study-contour.js';
export { type StudyData, studyData } from './report/study-data.js';
export * from './report/study-history.js';
export * from './report/study-importances.js';
export * from './report/study-intermediate.js';
export * from './report/study-parallel.js';
export * from './report/study-pareto.js';
export * from './report/study-plots.js';
export * from './report/study-slice.js';
export * from './report/tables.js';
export { bestTrial, paretoFront } from './study/best-trials.js';
export type { Constraints } from './study/constraints.js';
export * from './study/create-study.js';
export * from './study/distributions.js';
export type * from './study/frozen-trial.js';
export { type ImportanceOptions, importancesOf, paramImportances } from './study/importance.js';
export * from './study/optimize.js';
export type { Pruner } from './study/pruner.js';
export * from './study/pruners/hyperband.js';
export type { IntervalOptions } from './study/pruners/interval.js';
export * from './study/pruners/nop.js';
export * from './study/pruners/patient.js';
export * from './study/pruners/percentile.js';
export * from './study/pruners/successive-halving.js';
export * from './study/pruners/threshold.js';
export * from './study/pruners/wilcoxon.js';
export { type RetryOptions, retryHistory } from './study/retry-trial.js';
export type { Sampler } from './study/sampler.js';
export * from './study/samplers/cma-es.js';
export * from './study/samplers/nsga2.js';
export * from './study/samplers/qmc.js';
export * from './study/samplers/random.js';
export type { TpeOptions } from './study/samplers/tpe/options.js';
export * from './study/samplers/tpe.js';
export * from './study/storage/journal/journal-storage.js';
export * from './study/storage/memory-storage.js';
export * from './study/storage/open-storage.js';
export * from './study/storage/sql/rdb-storage.js';
export * from './study/storage/storage.js';
export { Study, type StudyOptions, TrialEndedError } from './study/study.js';
export type { StudyView } from './study/study-view.js';
export * from './study/trial.js';
export * from './train/checkpoint.js';
export * from './train/checkpoint-store.js';
export type { Every } from './train/every.js';
export * from './train/learning-rates.js';
export * from './train/losses/cross-entropy.js';
export * from './train/losses/dice-cross-entropy.js';
export * from './train/losses/focal.js';
export * from './train/losses/log-cosh-dice.js';
export type { Loss } from './train/losses/loss.js';
export * from './train/losses/loss-named.js';
export * from './train/losses/lovasz-softmax.js';
export { type AbsentOption, softScores } from './train/losses/soft-scores.js';
export * from './train/losses/tversky.js';
export * from './train/metrics/confusion-matrix.js';
export * from './train/metrics/metric.js';
export * from './train/metrics/scorer.js';
export * from './train/optimizers/accumulate.js';
export * from './train/optimizers/adam.js';
export * from './train/optimizers/add-decayed-weights.js';
export * from './train/optimizers/chain.js';
export * from './train/optimizers/clip-by-global-norm.js';
export * from './train/optimizers/optimizer-named.js';
export * from './train/optimizers/scale-by-adam.js';
export * from './train/optimizers/scale-by-learning-rate.js';
export * from './train/optimizers/sgd.js';
export * from './train/optimizers/trace.js';
export * from './train/optimizers/transform.js';
export * from './train/resume-run.js';
export * from './train/schedules/constant.js';
export * from './train/schedules/cosine.js';
export * from './train/schedules/plateau.js';
export type { Schedule } from './train/schedules/schedule.js';
export * from './train/schedules/schedule-named.js';
export * from './train/schedules/trapezoid.js';
export * from './train/test-domains.js';
export * from './train/trained-runs.js';
export * from './train/training.js';
export * from './vit/config.js';
export type { Spelling } from './vit/names.js';
export * from './vit/patch-classifier.js';
export * from './vit/save-backbone.js';
export * from './vit/segmenter.js';
export * from './vit/segmenter-record.js';
export * from './vit/source.js';
export { TARGETS, type Target } from './vit/vit.js';
