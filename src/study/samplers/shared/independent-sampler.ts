import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import type { Distribution, ParamValue, SearchSpace } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';

/** A sampler that proposes each parameter by itself, when it is suggested. */
export abstract class IndependentSampler implements Sampler {
  inferRelativeSearchSpace(): SearchSpace {
    return new Map();
  }

  sampleRelative(): Params {
    return {};
  }

  /** Proposes one parameter. */
  abstract sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue;
}
