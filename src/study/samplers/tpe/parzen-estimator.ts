import { exp, log } from '../../../numeric/exp-log.js';
import { maxOf } from '../../../numeric/extremes.js';
import { pairwiseSum } from '../../../numeric/pairwise-sum.js';
import type { NumpyRandom } from '../../../random/numpy-random.js';
import type { Distribution } from '../../trials/distribution.js';
import { ChoiceDimension } from './choice-dimension.js';
import type { Columns } from './dimension.js';
import { NumericDimension } from './numeric-dimension.js';
import type { TpeSettings } from './options.js';

/**
 * A Parzen estimator: the density whose kernels stand at past observations, with a prior over the whole range as the
 * last kernel; a kernel is a product over the dimensions.
 *
 * Sources: Bergstra et al. 2011 (Algorithms for hyper-parameter optimization); Watanabe 2023 (arXiv:2304.11127).
 */
export class ParzenEstimator {
  readonly #weights: Float64Array;
  readonly #dimensions: readonly (NumericDimension | ChoiceDimension)[];
  #logWeights: Float64Array | undefined;

  /** @param weights of the observations, the prior's not among them; not yet normalised */
  constructor(
    space: readonly (readonly [name: string, distribution: Distribution])[],
    observations: Columns,
    weights: ArrayLike<number>,
    settings: TpeSettings,
  ) {
    const n = observations[0]!.length;
    const all = new Float64Array(n + 1);
    all.set(Array.from(weights).slice(0, n));
    all[n] = n === 0 ? 1 : settings.priorWeight;
    const sum = pairwiseSum(all);
    this.#weights = all.map((weight) => weight / sum);
    const { priorWeight, categoricalDistance } = settings;
    this.#dimensions = space.map(([name, distribution], d) => {
      const column = observations[d]!;
      if (distribution.name !== 'CategoricalDistribution')
        return new NumericDimension(column, distribution, space.length, settings);
      const distance = Object.hasOwn(categoricalDistance, name) ? categoricalDistance[name] : undefined;
      return new ChoiceDimension(column, distribution, priorWeight, distance);
    });
  }

  /** Draws `size` points: first a kernel for each, then the categorical dimensions, then all numeric ones. */
  sample(random: NumpyRandom, size: number): Columns {
    const kernels = random.indices(this.#weights, size);
    const choices = this.#dimensions.map((dimension) =>
      dimension instanceof ChoiceDimension ? dimension.sample(random, kernels) : undefined,
    );
    const numeric = this.#dimensions.filter((dimension) => dimension instanceof NumericDimension);
    const numbers = numeric.length > 0 ? NumericDimension.sample(random, numeric, kernels) : [];
    return choices.map((column) => column ?? numbers.shift()!);
  }

  /** The logarithm of the density at each point; on a grid, of the mass of its cell. Good to some 12 digits. */
  logDensity(points: Columns): Float64Array {
    const heights = this.#weights.map(Math.log);
    const isQuick = this.#dimensions.every((dimension) => dimension.addHeights(heights));
    const terms = new Float64Array(this.#weights.length);
    return points[0]!.map((_, i) => {
      if (!isQuick) return this.logDensityInOrder(points, i);
      terms.set(heights);
      this.#dimensions.forEach((dimension, d) => {
        dimension.addShares(points[d]![i]!, terms);
      });
      const density = logSumExp(terms);
      return Number.isFinite(density) ? density : this.logDensityInOrder(points, i);
    });
  }

  /**
   * The same at the i-th point in each rounding as Optuna's, which decides between points where only the prior counts,
   * or choices that were seen equally often; and where a kernel lies so far outside the range that its mass within is
   * no double.
   */
  logDensityInOrder(points: Columns, i: number): number {
    this.#logWeights ??= this.#weights.map(log);
    const logWeights = this.#logWeights;
    const terms = new Float64Array(this.#weights.length);
    const continuous = this.#dimensions.flatMap(
      (dimension, d) => dimension.addInOrder(points[d]![i]!, terms) ?? [],
    );
    for (let k = 0; k < terms.length; k++) {
      if (continuous.length > 0) terms[k]! += pairwiseSum(continuous.map((column) => column[k]!));
      terms[k]! += logWeights[k]!;
      // A kernel at a distance that doubles do not resolve has no density that could be told.
      if (!(terms[k]! < Number.POSITIVE_INFINITY)) terms[k] = Number.NEGATIVE_INFINITY;
    }
    const most = maxOf(terms);
    if (most === Number.NEGATIVE_INFINITY) return most;
    return log(pairwiseSum(terms.map((term) => exp(term - most)))) + most;
  }
}

/** The difference of logarithms beyond which a term is too small to change a double. */
const NEGLIGIBLE = 60;

/** ln Σ e^term; −∞ where all are. */
function logSumExp(terms: Float64Array): number {
  const most = maxOf(terms);
  let sum = 0;
  for (let k = 0; k < terms.length; k++) {
    const below = terms[k]! - most;
    if (below > -NEGLIGIBLE) sum += Math.exp(below);
  }
  return most + Math.log(sum);
}
