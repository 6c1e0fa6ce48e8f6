import { randomStream } from '../../random/random-stream.js';
import type { Sampler } from '../contracts/sampler.js';
import type { StudyView } from '../contracts/study-view.js';
import type { FrozenTrial, TrialState } from '../trials/frozen-trial.js';
import { SamplerDelegate } from './shared/sampler-delegate.js';

/**
 * A sampler whose randomness is a function of (seed, trial number): its proposals depend only on the trials before,
 * so that a resumed study proposes the same, and workers with one seed do not all propose the same thing.
 *
 * A sampler is made for each trial, which costs a look at the whole history: for studies of hundreds of trials.
 *
 * @example
 * const sampler = seededByTrial(42, (seed) => new TpeSampler({ seed }));
 */
export function seededByTrial(seed: number, make: (seed: number) => Sampler): Sampler {
  return new SeededByTrial(seed, make);
}

class SeededByTrial extends SamplerDelegate {
  readonly #samplers: Map<number, Sampler>;

  constructor(seed: number, make: (seed: number) => Sampler) {
    const samplers = new Map<number, Sampler>();
    super(make(seed), ({ number }) => {
      const existing = samplers.get(number);
      if (existing) return existing;
      const sampler = make(Math.floor(randomStream(seed, 'trial', number)() * 2 ** 32));
      samplers.set(number, sampler);
      return sampler;
    });
    this.#samplers = samplers;
  }

  override afterTrial(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void {
    super.afterTrial(study, trial, state, values);
    this.#samplers.delete(trial.number);
  }
}
