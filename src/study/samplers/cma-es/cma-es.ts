import { UserError } from '../../../base/errors.js';
import { NumpyRandom } from '../../../random/numpy-random.js';
import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import { type ParamValue, type SearchSpace, toInternal } from '../../trials/distribution.js';
import type { FrozenTrial, TrialState } from '../../trials/frozen-trial.js';
import { CommonSpace, numericPart } from '../shared/common-space.js';
import { anySeed, KeyedUniform } from '../shared/keyed-uniform.js';
import { SamplerDelegate } from '../shared/sampler-delegate.js';
import { unitCube } from '../shared/unit-cube.js';
import { count, type Drawn, isEarly, NOTE_KEY, type Note, noteOf } from './note.js';
import { CmaRun } from './run.js';
import { type CmaState, cmaDraw, cmaStart } from './update.js';

/** Options of `CmaEsSampler`. */
export interface CmaEsOptions {
  /** The mean of the first generation, by name; the middle of the range for parameters that are not named. */
  readonly x0?: Readonly<Record<string, ParamValue>>;
  /** The first standard deviation, as a share of each range. Default 1/6. */
  readonly sigma0?: number;
  /** COMPLETE trials before the first generation, 1 by default. */
  readonly startupTrials?: number;
  /** Trials in a generation, 2 or more. Default 4 + ⌊3 ln n⌋ for n parameters. */
  readonly populationSize?: number;
  /** Whether PRUNED trials count, with the last value that they reported. Default false. */
  readonly considerPruned?: boolean;
  /** 32 bits; seeds all draws, each trial's by its number. */
  readonly seed?: number;
  /**
   * The sampler for everything that CMA-ES does not propose: the first trials, categorical parameters. By default
   * uniformly.
   */
  readonly independent?: Sampler;
}

/**
 * CMA-ES (Hansen 2016, arXiv:1604.00772), with negative weights: for continuous, rugged or ill-conditioned spaces and
 * budgets of hundreds of trials and more. One objective.
 *
 * It moves in the unit cube of the numeric parameters that all trials share; draws outside are drawn again, and after
 * 10 n attempts moved to the border. Nothing but the trials holds its state: each generation is noted, as the numbers
 * of the trials that made it, with the first trial that is drawn from it, and recomputed by whoever needs it. So any
 * number of workers, of whatever seeds, move one distribution.
 *
 * With the same seed, options and values it proposes what Optuna 4.9 does, but for rounding, from the second trial on, in
 * as many dimensions as a generation has trials (up to 11) and at most 25; beyond, what it draws has the same distribution.
 *
 * @example
 * const study = await createStudy({ sampler: new CmaEsSampler({ x0: { x: 0.5 }, sigma0: 0.2, seed: 1 }) });
 */
export class CmaEsSampler extends SamplerDelegate {
  readonly #options: CmaEsOptions;
  readonly #seed: number;
  readonly #counting: readonly TrialState[];
  readonly #space: CommonSpace;
  readonly #runs = new WeakMap<StudyView, Map<string, CmaRun>>();

  constructor(options: CmaEsOptions = {}) {
    const { sigma0 = 1 / 6, startupTrials = 1, populationSize = 4, seed = anySeed(), independent } = options;
    if (!(sigma0 > 0)) throw new UserError(`sigma0: expected a number above 0, got ${sigma0}`, { sigma0 });
    if (!(startupTrials >= 0))
      throw new UserError(`startupTrials: expected 0 or more, got ${startupTrials}`, { startupTrials });
    if (!Number.isInteger(populationSize) || populationSize < 2)
      throw new UserError(`populationSize: expected an integer from 2 up, got ${populationSize}`, {
        populationSize,
      });
    NumpyRandom.fromSeed(seed); // refuses what is no seed
    super(independent ?? new KeyedUniform(seed));
    this.#options = options;
    this.#seed = seed;
    this.#counting = options.considerPruned ? ['COMPLETE', 'PRUNED'] : ['COMPLETE'];
    this.#space = new CommonSpace(this.#counting);
  }

  override inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (study.directions.length !== 1)
      throw new UserError(`CMA-ES: expected one objective, got ${study.directions.length}; use NSGA-II`);
    return numericPart(this.#space.of(study));
  }

  override sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
    const { startupTrials = 1 } = this.#options;
    if (startupTrials > 1 && !this.#isStarted(study, startupTrials)) return {};
    const key = [...space.keys()].join();
    const run = this.#run(study, key, space);
    const draws = { ...run.drawn };
    for (const active of study.active) {
      const note = active.number === trial.number ? undefined : noteOf(active, key);
      run.learn(note);
      count(draws, note);
    }
    const { generation, base } = run.latest;
    const { lambda } = run.strategy;
    const numbers = run
      .trialsOf(base)
      .slice(0, lambda)
      .map(({ number }) => number);
    const note: Note =
      numbers.length < lambda
        ? { space: key, generation, base }
        : { space: key, generation: generation + 1, base: trial.number, parent: base, told: numbers };
    run.learn(note);
    study.setTrialSystemAttr(trial, NOTE_KEY, { ...note });
    const seed = this.#trialSeed(draws, note) + trial.number;
    return run.cube.toParams(draw(run.state(study, note.base), NumpyRandom.fromSeed(seed)));
  }

  #isStarted(study: StudyView, least: number): boolean {
    let count = 0;
    return study.finished.some(({ state }) => this.#counting.includes(state) && ++count >= least);
  }

  /** The state of the search in this space, updated with the trials that have ended since. */
  #run(study: StudyView, key: string, space: SearchSpace): CmaRun {
    const runs = this.#runs.get(study) ?? new Map<string, CmaRun>();
    this.#runs.set(study, runs);
    const { populationSize } = this.#options;
    const run = runs.get(key) ?? new CmaRun(key, space, this.#start(space), populationSize, this.#counting);
    runs.set(key, run);
    run.follow(study);
    return run;
  }

  #start(space: SearchSpace): CmaState {
    const { x0 = {}, sigma0 = 1 / 6 } = this.#options;
    const mean = [...space].map(([name, distribution]) => {
      const x = Object.hasOwn(x0, name) ? x0[name] : undefined;
      if (x === undefined) return 0.5;
      const internalParams = { [name]: toInternal(distribution, x) };
      return unitCube(new Map([[name, distribution]])).toPoint({ internalParams })[0]!;
    });
    return cmaStart(mean, sigma0);
  }

  /**
   * The seed of a trial, as in Optuna, which also seeds the strategy that it creates anew for each trial until a
   * second distribution exists.
   */
  #trialSeed({ early, late }: Drawn, note: Note): number {
    const random = NumpyRandom.fromSeed(this.#seed);
    const next = (makesStrategy: boolean): number => {
      if (makesStrategy) random.integer(2 ** 31 - 3);
      return 1 + random.integer(2 ** 16 - 1);
    };
    for (let i = 0; i < early; i++) next(true);
    for (let i = 0; i < late; i++) next(false);
    return next(isEarly(note));
  }
}

/** A point of the cube: the first inside, or the last of 10 n + 1, which `toParams` moves to the border. */
function draw(state: CmaState, random: NumpyRandom): number[] {
  const normal = () => random.normal();
  const isInside = (x: number) => x >= 0 && x <= 1;
  let point = cmaDraw(state, normal);
  for (let again = 0; again < 10 * point.length && !point.every(isInside); again++)
    point = cmaDraw(state, normal);
  return point;
}
