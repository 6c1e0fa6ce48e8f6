import type { Sampler } from '../contracts/sampler.js';
import type { StudyView } from '../contracts/study-view.js';
import {
  contains,
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toInternal,
} from '../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../trials/frozen-trial.js';

/**
 * Holds some parameters at given values and leaves the others to another sampler.
 *
 * A value outside the range that is asked for is used all the same, with a warning.
 *
 * @example
 * new PartialFixedSampler({ rank: 8 }, new TpeSampler({ multivariate: true }));
 */
export class PartialFixedSampler implements Sampler {
  constructor(
    private readonly fixed: Readonly<Record<string, ParamValue>>,
    private readonly base: Sampler,
  ) {}

  get usesStudyAttrs(): boolean {
    return this.base.usesStudyAttrs ?? false;
  }

  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace {
    const space = this.base.inferRelativeSearchSpace(study, trial);
    return new Map([...space].filter(([name]) => !Object.hasOwn(this.fixed, name)));
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace) {
    return this.base.sampleRelative(study, trial, space);
  }

  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    if (!Object.hasOwn(this.fixed, name))
      return this.base.sampleIndependent(study, trial, name, distribution);
    const value = this.fixed[name]!;
    if (!contains(distribution, toInternal(distribution, value)))
      study.warn('fixed-param', `trial ${trial.number}: "${name}" is fixed at ${value}, outside its range`);
    return value;
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    this.base.beforeTrial?.(study, trial);
  }

  afterTrial(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void {
    this.base.afterTrial?.(study, trial, state, values);
  }
}
