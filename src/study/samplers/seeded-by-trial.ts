import { randomStream } from '../../random/random-stream.js';
import type { Sampler } from '../contracts/sampler.js';
import type { FrozenTrial } from '../trials/frozen-trial.js';

/**
 * A sampler whose chance is a function of (seed, number of the trial): what it proposes depends on the trials before
 * and on nothing else, so that a study that was stopped and goes on proposes the same, and many workers with one seed
 * do not propose the same thing at once.
 *
 * A sampler is made for each trial, which costs a look at the whole history: for studies of hundreds of trials.
 *
 * @example
 * const sampler = seededByTrial(42, (seed) => new TpeSampler({ seed }));
 */
export function seededByTrial(seed: number, make: (seed: number) => Sampler): Sampler {
  const samplers = new Map<number, Sampler>();
  const of = ({ number }: FrozenTrial): Sampler => {
    const known = samplers.get(number);
    if (known) return known;
    const sampler = make(Math.floor(randomStream(seed, 'trial', number)() * 2 ** 32));
    samplers.set(number, sampler);
    return sampler;
  };
  return {
    ...(make(seed).usesStudyAttrs ? { usesStudyAttrs: true } : {}),
    beforeTrial: (study, trial) => of(trial).beforeTrial?.(study, trial),
    inferRelativeSearchSpace: (study, trial) => of(trial).inferRelativeSearchSpace(study, trial),
    sampleRelative: (study, trial, space) => of(trial).sampleRelative(study, trial, space),
    sampleIndependent: (study, trial, name, distribution) =>
      of(trial).sampleIndependent(study, trial, name, distribution),
    afterTrial: (study, trial, state, values) => {
      of(trial).afterTrial?.(study, trial, state, values);
      samplers.delete(trial.number);
    },
  };
}
