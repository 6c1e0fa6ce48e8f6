import { NumpyRandom } from '../../random/numpy-random.js';
import type { StudyView } from '../contracts/study-view.js';
import type { Distribution, ParamValue } from '../trials/distribution.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';
import { IndependentSampler } from './shared/independent-sampler.js';
import { uniformValue } from './shared/uniform-value.js';

/** Options of `RandomSampler`. */
export interface RandomSamplerOptions {
  /** 32 bits; the same seed proposes the same values again. By default unlike any other's. */
  readonly seed?: number;
}

/**
 * Proposes each parameter uniformly and independently (log-uniformly with `log`).
 *
 * With a seed it proposes what Optuna's RandomSampler of that seed does, but that one log-scaled value in some hundreds
 * differs in its last bit, as C libraries do among themselves.
 *
 * @example
 * const study = await createStudy({ sampler: new RandomSampler({ seed: 0 }) });
 */
export class RandomSampler extends IndependentSampler {
  readonly #random: NumpyRandom;

  constructor({ seed }: RandomSamplerOptions = {}) {
    super();
    this.#random = NumpyRandom.fromSeed(seed);
  }

  /** A uniform draw. */
  sampleIndependent(
    _study: StudyView,
    _trial: FrozenTrial,
    _name: string,
    distribution: Distribution,
  ): ParamValue {
    return uniformValue(this.#random, distribution);
  }
}
