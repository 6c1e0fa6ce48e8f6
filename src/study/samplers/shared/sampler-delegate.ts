import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import type { Distribution, ParamValue, SearchSpace } from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';

/**
 * A sampler that delegates everything to another one; a subclass overrides its own part.
 *
 * @example
 * class Halved extends SamplerDelegate {
 *   override inferRelativeSearchSpace(): SearchSpace {
 *     return new Map();
 *   }
 * }
 */
export abstract class SamplerDelegate implements Sampler {
  readonly usesStudyAttrs: boolean;
  readonly #baseOf: (trial: FrozenTrial) => Sampler;

  /**
   * @param base the sampler that everything is left to
   * @param baseOf the one for each trial, where that is not `base`
   */
  constructor(base: Sampler, baseOf: (trial: FrozenTrial) => Sampler = () => base) {
    this.usesStudyAttrs = base.usesStudyAttrs ?? false;
    this.#baseOf = baseOf;
  }

  inferRelativeSearchSpace(study: StudyView, trial: FrozenTrial): SearchSpace {
    return this.#baseOf(trial).inferRelativeSearchSpace(study, trial);
  }

  sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
    return this.#baseOf(trial).sampleRelative(study, trial, space);
  }

  sampleIndependent(
    study: StudyView,
    trial: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    return this.#baseOf(trial).sampleIndependent(study, trial, name, distribution);
  }

  beforeTrial(study: StudyView, trial: FrozenTrial): void {
    this.#baseOf(trial).beforeTrial?.(study, trial);
  }

  afterTrial(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void {
    this.#baseOf(trial).afterTrial?.(study, trial, state, values);
  }
}
