import '../src/base/node-version.js';

export * from '../operators/lockstep.js';
export * from '../operators/prune.js';
export * from '../operators/report.js';
export * from '../operators/trial-groups.js';
export * from '../operators/trials.js';
export type { Pruner } from '../src/study/contracts/pruner.js';
export type { Sampler } from '../src/study/contracts/sampler.js';
export type { StudyView } from '../src/study/contracts/study-view.js';
export * from '../src/study/create-study.js';
export type { EnqueueOptions } from '../src/study/enqueue.js';
export {
  type ImportanceOptions,
  importancesOf,
  paramImportances,
} from '../src/study/importance/importance.js';
export * from '../src/study/open-storage.js';
export * from '../src/study/optimize.js';
export * from '../src/study/pruners/hyperband.js';
export type { IntervalOptions } from '../src/study/pruners/interval.js';
export * from '../src/study/pruners/nop.js';
export * from '../src/study/pruners/patient.js';
export * from '../src/study/pruners/percentile.js';
export * from '../src/study/pruners/pruners.js';
export * from '../src/study/pruners/successive-halving.js';
export * from '../src/study/pruners/threshold.js';
export * from '../src/study/pruners/wilcoxon.js';
export { type RetryOptions, retryHistory } from '../src/study/retry-trial.js';
export * from '../src/study/samplers/brute-force/brute-force.js';
export * from '../src/study/samplers/cma-es/cma-es.js';
export * from '../src/study/samplers/gp/gp.js';
export * from '../src/study/samplers/grid.js';
export * from '../src/study/samplers/nsga2/nsga2.js';
export * from '../src/study/samplers/partial-fixed.js';
export * from '../src/study/samplers/qmc/qmc.js';
export * from '../src/study/samplers/random.js';
export * from '../src/study/samplers/samplers.js';
export * from '../src/study/samplers/seeded-by-trial.js';
export type { Constraints } from '../src/study/samplers/shared/note-constraints.js';
export { SamplerDelegate } from '../src/study/samplers/shared/sampler-delegate.js';
export type { TpeOptions } from '../src/study/samplers/tpe/options.js';
export * from '../src/study/samplers/tpe/tpe.js';
export * from '../src/study/storage/journal/journal-storage.js';
export * from '../src/study/storage/memory-storage.js';
export * from '../src/study/storage/sql/rdb-storage.js';
export * from '../src/study/storage/storage.js';
export { Study, type StudyOptions } from '../src/study/study.js';
export type { TellOptions } from '../src/study/tell-options.js';
export * from '../src/study/trial.js';
export * from '../src/study/trial-pruned.js';
export { bestTrial, paretoFront } from '../src/study/trials/best-trials.js';
export * from '../src/study/trials/distribution.js';
export type * from '../src/study/trials/frozen-trial.js';
export * from '../src/study/trials/make-distribution.js';
export * from '../src/study/trials/same-distribution.js';
export * from '../src/study/trials/trial-ended-error.js';
