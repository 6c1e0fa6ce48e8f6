import type { Distribution, ParamValue, SearchSpace } from '../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../trials/frozen-trial.js';
import type { StudyView } from './study-view.js';

/** Values by the name of their parameter, as user code sees them. */
export type Params = Readonly<Record<string, ParamValue>>;

/**
 * Proposes parameters, as in Optuna: once for a whole space that it infers from the history (relative), and one
 * by one for the names that this space lacks (independent).
 *
 * Everything is synchronous over a view that the study refreshed before: `ask` calls `beforeTrial`,
 * `inferRelativeSearchSpace` and `sampleRelative`; a suggestion outside the relative space, or outside the range
 * that is asked for now, calls `sampleIndependent`; single-valued distributions never reach the sampler. `tell`
 * calls `afterTrial` before the state is stored. Values are external ones (the choice, not its index).
 */
export interface Sampler {
  /** Whether `study.systemAttrs` must be fresh at every ask, which costs a read of the storage. */
  readonly usesStudyAttrs?: boolean;
  /** The parameters to propose together for this trial; empty where each is proposed by itself. */
  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace;
  /** May leave names out; they are then sampled independently. */
  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params;
  /** Proposes one parameter that `sampleRelative` left out. */
  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue;
  /** Called when a trial begins, before anything is proposed. */
  beforeTrial?(study: StudyView, trial: FrozenTrial): void;
  /** `values` is null for FAIL, and for PRUNED without a report. Here constraints are evaluated and noted. */
  afterTrial?(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void;
}
