import '../src/base/node-version.js';

// Studies: made, found, copied, deleted.
export {
  type CreateStudyOptions,
  copyStudy,
  createStudy,
  deleteStudy,
  type LoadStudyOptions,
  loadStudy,
  studyNames,
} from '../src/study/create-study.js';
export { Study, type StudyOptions } from '../src/study/study.js';
export type { StudyView } from '../src/study/contracts/study-view.js';
export type { EnqueueOptions } from '../src/study/enqueue.js';
export type { TellOptions } from '../src/study/tell-options.js';

// Trials: asked for, reported on, told.
export { type Objective, type Optimizable, type OptimizeOptions, optimize } from '../src/study/optimize.js';
export { Trial, type TrialHost } from '../src/study/trial.js';
export { TrialPruned } from '../src/study/trial-pruned.js';
export { TrialEndedError } from '../src/study/trials/trial-ended-error.js';
export { type RetryOptions, retryHistory } from '../src/study/retry-trial.js';

// Trials as streams of a run's events.
export { type TrialsOptions, trials } from '../operators/trials.js';
export { type ReportOptions, report } from '../operators/report.js';
export type { ReportedMetric } from '../operators/reported-metric.js';
export { prune } from '../operators/prune.js';
export { type TrialGroupsOptions, trialGroups } from '../operators/trial-groups.js';
export { type LeaseWork, lockstep } from '../operators/lockstep.js';

// Results: finished trials, the best of them, and what mattered.
export {
  type Direction,
  type FrozenTrial,
  isFinished,
  type Json,
  lastStep,
  type TrialState,
} from '../src/study/trials/frozen-trial.js';
export { bestTrial, paretoFront } from '../src/study/trials/best-trials.js';
export {
  type ImportanceOptions,
  importancesOf,
  paramImportances,
} from '../src/study/importance/importance.js';

// Samplers: who proposes.
export { type NamedSamplerOptions, samplers } from '../src/study/samplers/samplers.js';
export { TpeSampler } from '../src/study/samplers/tpe/tpe.js';
export type { TpeOptions } from '../src/study/samplers/tpe/options.js';
export { RandomSampler, type RandomSamplerOptions } from '../src/study/samplers/random.js';
export { type GpOptions, GpSampler } from '../src/study/samplers/gp/gp.js';
export { type CmaEsOptions, CmaEsSampler } from '../src/study/samplers/cma-es/cma-es.js';
export { type Nsga2Options, Nsga2Sampler } from '../src/study/samplers/nsga2/nsga2.js';
export { type QmcOptions, QmcSampler } from '../src/study/samplers/qmc/qmc.js';
export { GridSampler } from '../src/study/samplers/grid.js';
export { type BruteForceOptions, BruteForceSampler } from '../src/study/samplers/brute-force/brute-force.js';
export { PartialFixedSampler } from '../src/study/samplers/partial-fixed.js';
export { seededByTrial } from '../src/study/samplers/seeded-by-trial.js';
export type { Constraints } from '../src/study/samplers/shared/note-constraints.js';
export { SamplerDelegate } from '../src/study/samplers/shared/sampler-delegate.js';
export type { Params, Sampler } from '../src/study/contracts/sampler.js';

// Pruners: who ends a trial early.
export { type NamedPrunerOptions, pruners } from '../src/study/pruners/pruners.js';
export { MedianPruner, type PercentileOptions, PercentilePruner } from '../src/study/pruners/percentile.js';
export {
  type SuccessiveHalvingOptions,
  SuccessiveHalvingPruner,
} from '../src/study/pruners/successive-halving.js';
export { type HyperbandOptions, HyperbandPruner } from '../src/study/pruners/hyperband.js';
export { ThresholdPruner } from '../src/study/pruners/threshold.js';
export { PatientPruner } from '../src/study/pruners/patient.js';
export { type WilcoxonOptions, WilcoxonPruner } from '../src/study/pruners/wilcoxon.js';
export { NopPruner } from '../src/study/pruners/nop.js';
export type { IntervalOptions } from '../src/study/pruners/interval.js';
export type { Pruner } from '../src/study/contracts/pruner.js';

// Distributions: what a parameter is drawn from.
export {
  type CategoricalDistribution,
  type Choice,
  contains,
  type Distribution,
  type FloatDistribution,
  type IntDistribution,
  isSingle,
  type ParamValue,
  type SearchSpace,
  toExternal,
  toInternal,
} from '../src/study/trials/distribution.js';
export {
  categoricalDistribution,
  floatDistribution,
  intDistribution,
  type NumericOptions,
} from '../src/study/trials/make-distribution.js';

// Storages: where studies live.
export { openStorage, type StorageOptions } from '../src/study/open-storage.js';
export type { HeartbeatOptions } from '../src/study/storage/sql/heartbeat-options.js';
export { MemoryStorage } from '../src/study/storage/memory-storage.js';
export { RdbStorage } from '../src/study/storage/sql/rdb-storage.js';
export { JournalStorage } from '../src/study/storage/journal/journal-storage.js';
export {
  FinishedTrialError,
  type Heartbeat,
  type Storage,
  type StorageLimits,
  type StoredParam,
  type StudyRecord,
  type TrialChanges,
  type TrialEnd,
  type TrialHead,
  type TrialLimit,
  type TrialTemplate,
} from '../src/study/storage/storage.js';
