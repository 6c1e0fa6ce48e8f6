import { UserError } from '../../../base/errors.js';
import { argMax, maxOf, minOf, squareScale } from '../../../numeric/extremes.js';
import { randomStream } from '../../../random/random-stream.js';
import type { Params, Sampler } from '../../contracts/sampler.js';
import type { StudyView } from '../../contracts/study-view.js';
import type { ParamValue, SearchSpace } from '../../trials/distribution.js';
import type { Direction, FrozenTrial } from '../../trials/frozen-trial.js';
import { sobol } from '../qmc/sobol.js';
import { CommonSpace } from '../shared/common-space.js';
import { anySeed, KeyedUniform } from '../shared/keyed-uniform.js';
import { SamplerDelegate } from '../shared/sampler-delegate.js';
import { unitCube } from '../shared/unit-cube.js';
import { type GpAxis, mostPromising } from './acquisition.js';
import { fitGp, type GpPoint, type GpSettings, gaussianProcess } from './regression.js';

/** Options of `GpSampler`. */
export interface GpOptions {
  /** COMPLETE trials before the first proposal of the process, 10 by default. */
  readonly startupTrials?: number;
  /** Seeds all draws, each trial's by its number. */
  readonly seed?: number;
  /** Proposes the first trials, and parameters that not all trials have. By default uniformly. */
  readonly independent?: Sampler;
}

/** The number of points at which the acquisition is evaluated first: as in Optuna, fewer on small grids. */
const CANDIDATES = 2048;

/**
 * Bayesian optimisation with a Gaussian process: for one objective that is costly and smooth, and tens to a few hundred
 * trials. A proposal costs time in the cube of the number of trials: with many, TPE is the better choice.
 *
 * The process (see `gaussianProcess`) is fitted to all COMPLETE trials at each ask, and the trial with the greatest
 * expected improvement over the best mean so far is proposed. Trials that run elsewhere count as if they had reached
 * their mean (the kriging believer of Ginsbourger, Le Riche & Carraro 2010), so that workers keep apart.
 *
 * As in Optuna's GPSampler (4.9) are kernel, priors, least noise, start-up and the numbers of candidates and local
 * searches. Otherwise: Optuna improves on the best value instead of the best mean, gives running trials the best
 * value, fits from one start, and holds logarithmic integers to their grid in the search. Without constraints.
 *
 * @example
 * const study = await createStudy({ sampler: new GpSampler({ seed: 1 }) });
 */
export class GpSampler extends SamplerDelegate {
  readonly #startupTrials: number;
  readonly #seed: number;
  readonly #space = new CommonSpace();
  /** The result of the last fit, by view: the next fit begins there. */
  readonly #settings = new WeakMap<StudyView, GpSettings>();

  constructor({ startupTrials = 10, seed = anySeed(), independent }: GpOptions = {}) {
    if (!(startupTrials >= 2))
      throw new UserError(`startupTrials: expected 2 or more, got ${startupTrials}`, { startupTrials });
    super(independent ?? new KeyedUniform(seed));
    this.#startupTrials = startupTrials;
    this.#seed = seed;
  }

  override inferRelativeSearchSpace(study: StudyView): SearchSpace {
    if (study.directions.length !== 1)
      throw new UserError(`GP: expected one objective, got ${study.directions.length}; use TPE or NSGA-II`);
    return this.#space.of(study);
  }

  override sampleRelative(study: StudyView, trial: FrozenTrial, space: SearchSpace): Params {
    const complete = study.finished.filter(({ state, values }) => state === 'COMPLETE' && values);
    if (complete.length < this.#startupTrials) return {};
    complete.sort((a, b) => a.number - b.number);
    const { axes, toPoint, toParams } = coordinates(space);
    const points = complete.map(toPoint);
    const values = standardized(
      complete.map(({ values }) => values![0]!),
      study.directions[0]!,
    );
    const choices = axes.map(({ choice }) => choice);
    const previous = this.#settings.get(study);
    const settings = fitGp(
      points,
      values,
      choices,
      previous?.lengths.length === axes.length ? previous : undefined,
    );
    this.#settings.set(study, settings);
    let process = gaussianProcess(points, values, choices, settings);
    const best = minOf(points.map((point) => process.predict(point).mean));
    const busy = study.active.filter(
      (other) => other.number !== trial.number && axes.every(({ name }) => Object.hasOwn(other.params, name)),
    );
    if (busy.length > 0) {
      const running = busy.map(toPoint);
      const targets = Float64Array.from([...values, ...running.map((point) => process.predict(point).mean)]);
      process = gaussianProcess([...points, ...running], targets, choices, settings);
    }
    const random = randomStream(this.#seed, 'gp', trial.number);
    const draw = sobol(axes.length, Math.floor(random() * 2 ** 32));
    // Of a small grid the local search sees all there is.
    const size = axes.reduce((product, { points }) => product * points, 1);
    const candidates: GpPoint[] = Array.from({ length: Math.min(CANDIDATES, 4 * size) }, (_, i) =>
      draw(i).map((u, a) => (axes[a]!.choice ? Math.floor(u * axes[a]!.points) : u)),
    );
    const top = points[argMax(values.map((value) => -value))]!;
    return toParams(mostPromising(process, best, axes, candidates, [top], random));
  }
}

/** Losses of mean 0 and variance 1; infinite ones count as the worst, or best, of the others. */
function standardized(values: readonly number[], direction: Direction): Float64Array {
  const sign = direction === 'minimize' ? 1 : -1;
  const scale = sign * squareScale(values);
  const losses = values.map((value) => value / scale);
  const finite = losses.filter(Number.isFinite);
  const [low, high] = finite.length > 0 ? [minOf(finite), maxOf(finite)] : [0, 0];
  const clipped = losses.map((loss) => Math.min(high, Math.max(low, loss)));
  const mean = clipped.reduce((a, b) => a + b, 0) / clipped.length;
  const deviation = Math.sqrt(clipped.reduce((sum, v) => sum + (v - mean) ** 2, 0) / clipped.length) || 1;
  return Float64Array.from(clipped, (v) => (v - mean) / deviation);
}

/** Numeric parameters in the unit cube, choices by their index. */
function coordinates(space: SearchSpace) {
  const parts = [...space].map(([name, distribution]) => ({
    name,
    distribution,
    cube: distribution.name === 'CategoricalDistribution' ? null : unitCube(new Map([[name, distribution]])),
  }));
  const axes = parts.map(({ name, distribution }): GpAxis & { name: string } => {
    if (distribution.name === 'CategoricalDistribution')
      return { name, choice: true, points: distribution.choices.length };
    const { low, high, step, log } = distribution;
    // Logarithmic grids are not even: they are rounded when the trial takes its value.
    return {
      name,
      choice: false,
      points: step && !log ? Math.round((high - low) / step) + 1 : Number.POSITIVE_INFINITY,
    };
  });
  return {
    axes,
    toPoint: (trial: FrozenTrial): GpPoint =>
      parts.map(({ name, cube }) => (cube ? cube.toPoint(trial)[0]! : trial.internalParams[name]!)),
    toParams: (point: GpPoint): Record<string, ParamValue> =>
      Object.fromEntries(
        parts.map(({ name, distribution, cube }, i) => [
          name,
          distribution.name === 'CategoricalDistribution'
            ? distribution.choices[point[i]!]!
            : cube!.toParams([point[i]!])[name]!,
        ]),
      ),
  };
}
