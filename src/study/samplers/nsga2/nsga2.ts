import { UserError } from '../../../base/errors.js';
import { type Random, randomStream } from '../../../random/random-stream.js';
import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import { CONSTRAINTS_KEY } from '../../trials/constraints.js';
import type { ParamValue, SearchSpace } from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';
import { CommonSpace } from '../shared/common-space.js';
import { anySeed, KeyedUniform } from '../shared/keyed-uniform.js';
import { type Constraints, noteConstraints } from '../shared/note-constraints.js';
import { SamplerDelegate } from '../shared/sampler-delegate.js';
import { constrainedDominates, elite, type Individual, individualsOf } from './selection.js';

/** Options of `Nsga2Sampler`. */
export interface Nsga2Options {
  /** Trials in a generation, 2 or more. Default 50. */
  readonly populationSize?: number;
  /** The probability that a parameter of a child is drawn anew. Default 1 in the number of parameters. */
  readonly mutationProbability?: number;
  /** The probability that a child has two parents. Default 0.9. */
  readonly crossoverProbability?: number;
  /** The probability that a parameter of a child of two comes from the second. Default 0.5. */
  readonly swappingProbability?: number;
  /**
   * Evaluates the constraints of each trial that ends; a trial that satisfies them beats any that does not.
   */
  readonly constraints?: Constraints;
  /** Seeds all draws, each trial's by its number. */
  readonly seed?: number;
  /** Proposes the first generation, and what mutation leaves open. By default uniformly. */
  readonly independent?: Sampler;
}

/** The trial system attribute of Optuna's sampler, so that both can breed one population. */
const KEY = 'NSGAIISampler:generation';

interface Population {
  seen: number;
  /** COMPLETE trials by generation. */
  readonly generations: FrozenTrial[][];
  /** By the generation of their children. */
  readonly parents: Map<number, Individual[]>;
  constrained: boolean;
}

/**
 * NSGA-II (Deb, Pratap, Agarwal & Meyarivan 2002): breeds for several objectives at once, with any kind of parameter
 * and with constraints; for hundreds of trials and more.
 *
 * Each parameter of a child comes from one of two parents, the winners of two tournaments, or is drawn anew. A
 * generation has ended when so many of its trials are COMPLETE; the best of it and its own parents are the next
 * parents. All is computed from the trials, so that any number of workers breed one population. Optuna's defaults
 * (4.9): uniform crossover, no polynomial mutation.
 *
 * @example
 * const sampler = new Nsga2Sampler({ seed: 1, constraints: ({ params }) => [Number(params.x) - 1] });
 * const study = await createStudy({ directions: ['minimize', 'maximize'], sampler });
 */
export class Nsga2Sampler extends SamplerDelegate {
  readonly #options: Nsga2Options;
  readonly #size: number;
  readonly #seed: number;
  readonly #space = new CommonSpace();
  readonly #populations = new WeakMap<StudyView, Population>();

  constructor(options: Nsga2Options = {}) {
    const { populationSize = 50, seed = anySeed(), independent } = options;
    if (!Number.isInteger(populationSize) || populationSize < 2)
      throw new UserError(`populationSize: expected an integer from 2 up, got ${populationSize}`, {
        populationSize,
      });
    for (const name of ['mutationProbability', 'crossoverProbability', 'swappingProbability'] as const) {
      const value = options[name];
      if (value !== undefined && !(value >= 0 && value <= 1))
        throw new UserError(`${name}: expected 0 to 1, got ${value}`, { [name]: value });
    }
    super(independent ?? new KeyedUniform(seed));
    this.#options = options;
    this.#size = populationSize;
    this.#seed = seed;
  }

  override inferRelativeSearchSpace(study: StudyView): SearchSpace {
    return this.#space.of(study);
  }

  override sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
    const generation = trial.systemAttrs[KEY] as number;
    if (generation === 0) return {};
    const parents = this.#parents(study, this.#population(study), generation);
    return this.#child(parents, space, randomStream(this.#seed, 'nsga2', trial.number));
  }

  override beforeTrial(study: StudyView, trial: FrozenTrial): void {
    super.beforeTrial(study, trial);
    const { generations } = this.#population(study);
    const last = Math.max(0, generations.length - 1);
    const full = (generations[last]?.length ?? 0) >= this.#size;
    study.setTrialSystemAttr(trial, KEY, full ? last + 1 : last);
  }

  override afterTrial(
    study: StudyView,
    trial: FrozenTrial,
    state: TrialState,
    values: readonly number[] | null,
  ): void {
    super.afterTrial(study, trial, state, values);
    noteConstraints(study, trial, state, values, this.#options.constraints);
  }

  #population(study: StudyView): Population {
    const population = this.#populations.get(study) ?? {
      seen: 0,
      generations: [],
      parents: new Map<number, Individual[]>(),
      constrained: this.#options.constraints !== undefined,
    };
    this.#populations.set(study, population);
    for (; population.seen < study.finished.length; population.seen++) {
      const trial = study.finished[population.seen]!;
      const generation = trial.systemAttrs[KEY];
      if (trial.state !== 'COMPLETE' || typeof generation !== 'number') continue;
      if (CONSTRAINTS_KEY in trial.systemAttrs) population.constrained = true;
      for (let g = population.generations.length; g <= generation; g++) population.generations.push([]);
      population.generations[generation]!.push(trial);
    }
    return population;
  }

  /**
   * The generations so far, each computed if it is not known: the elite of the one before, and its parents.
   */
  #parents(study: StudyView, { generations, parents, constrained }: Population, of: number): Individual[] {
    let latest = of;
    while (latest > 0 && !parents.has(latest)) latest--;
    for (let g = latest + 1; g <= of; g++) {
      const before = parents.get(g - 1) ?? [];
      const individuals = individualsOf(generations[g - 1]!, study.directions, constrained);
      parents.set(g, elite([...individuals, ...before], this.#size));
      parents.delete(g - 2);
    }
    return parents.get(of)!;
  }

  #child(parents: readonly Individual[], space: SearchSpace, random: Random): Record<string, ParamValue> {
    const {
      crossoverProbability = 0.9,
      swappingProbability = 0.5,
      mutationProbability = 1 / Math.max(1, space.size),
    } = this.#options;
    const first = tournament(parents, random);
    const second =
      random() < crossoverProbability && parents.length > 1
        ? tournament(
            parents.filter((parent) => parent !== first),
            random,
          )
        : first;
    const child: [name: string, value: ParamValue][] = [];
    for (const name of space.keys()) {
      const { params } = (random() < swappingProbability ? second : first).trial;
      if (random() >= mutationProbability && Object.hasOwn(params, name)) child.push([name, params[name]!]);
    }
    return Object.fromEntries(child);
  }
}

/** The better of two random individuals; the second if neither is better. */
function tournament(parents: readonly Individual[], random: Random): Individual {
  const pick = () => Math.floor(random() * parents.length);
  const a = parents[pick()]!;
  const b = parents[pick()]!;
  return constrainedDominates(a, b) ? a : b;
}
