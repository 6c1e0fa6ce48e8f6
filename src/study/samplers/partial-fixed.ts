import type { Sampler } from '../contracts/sampler.js';
import type { StudyView } from '../contracts/study-view.js';
import {
  contains,
  type Distribution,
  type ParamValue,
  type SearchSpace,
  toInternal,
} from '../trials/distribution.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { SamplerDelegate } from './shared/sampler-delegate.js';

/**
 * Holds some parameters at given values and leaves the others to another sampler.
 *
 * A value outside the range that is asked for is used all the same, with a warning.
 *
 * @example
 * new PartialFixedSampler({ rank: 8 }, new TpeSampler({ multivariate: true }));
 */
export class PartialFixedSampler extends SamplerDelegate {
  constructor(
    private readonly fixed: Readonly<Record<string, ParamValue>>,
    base: Sampler,
  ) {
    super(base);
  }

  override inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace {
    const space = super.inferRelativeSearchSpace(study, trial);
    return new Map([...space].filter(([name]) => !Object.hasOwn(this.fixed, name)));
  }

  override sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    if (!Object.hasOwn(this.fixed, name)) return super.sampleIndependent(study, trial, name, distribution);
    const value = this.fixed[name]!;
    if (!contains(distribution, toInternal(distribution, value)))
      study.warn('fixed-param', `trial ${trial.number}: "${name}" is fixed at ${value}, outside its range`);
    return value;
  }
}
