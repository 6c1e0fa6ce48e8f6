import { randomInt } from 'node:crypto';
import { type Random, randomStream } from '../../../random/random-stream.js';
import type { StudyView } from '../../contracts/study-view.js';
import type { Distribution, ParamValue } from '../../trials/distribution.js';
import type { FrozenTrial } from '../../trials/frozen-trial.js';
import { IndependentSampler } from './independent-sampler.js';
import { unitCube } from './unit-cube.js';

/**
 * Proposes each parameter uniformly, from a random stream of its own: a pure function of seed, trial number and name.
 *
 * Nothing is remembered between trials, so that a process that goes on with a study, or one beside it with the same
 * seed, does not draw again what another drew. The independent part of samplers that propose whole spaces.
 */
export class KeyedUniform extends IndependentSampler {
  constructor(private readonly seed: number) {
    super();
  }

  sampleIndependent(
    _study: StudyView,
    { number }: FrozenTrial,
    name: string,
    distribution: Distribution,
  ): ParamValue {
    return uniform(distribution, randomStream(this.seed, 'independent', number, name));
  }
}

/** A value drawn uniformly from a distribution, in its logarithm with `log`. */
export function uniform(distribution: Distribution, random: Random): ParamValue {
  if (distribution.name === 'CategoricalDistribution') {
    const { choices } = distribution;
    return choices[Math.floor(random() * choices.length)]!;
  }
  return unitCube(new Map([['', distribution]])).toParams([random()])['']!;
}

/** A random seed, for samplers without one. */
export function anySeed(): number {
  return randomInt(2 ** 32);
}
