import { exp, log } from '../../../numeric/exp-log.js';
import { maxOf } from '../../../numeric/extremes.js';
import { roundHalfEven } from '../../../numeric/float.js';
import { pairwiseSum } from '../../../numeric/pairwise-sum.js';
import type { NumpyRandom } from '../../../random/numpy-random.js';
import type { Distribution } from '../../trials/distribution.js';
import { type CategoricalKernels, categoricalKernels, logsOf } from './categorical-kernels.js';
import { type CellMasses, cellMassesOf, type Masses } from './cell-masses.js';
import { LEAST_MASS, normalMass } from './normal-mass.js';
import {
  cellOf,
  type KernelRange,
  kernelRange,
  kernelWidths,
  type NumericDistribution,
} from './numeric-kernels.js';
import type { TpeSettings } from './options.js';
import { LOG_ROOT_2PI, logMass, quantiles } from './truncated-normal.js';

interface NumericKernels {
  readonly distribution: NumericDistribution;
  readonly range: KernelRange;
  readonly centres: Float64Array;
  readonly widths: Float64Array;
  /** Where there is a grid, with each kernel's masses. */
  readonly cells: CellMasses | null;
  readonly masses: readonly Masses[];
}

/** Logarithms of weights, and by dimension of the masses within the range and of the widths, in Optuna's roundings. */
interface InOrder {
  readonly logWeights: Float64Array;
  readonly logMasses: readonly Float64Array[];
  readonly logWidths: readonly Float64Array[];
}

const NOTHING = new Float64Array(0);

/** Columns by dimension: what was observed, or proposed, as internal values. */
export type Columns = readonly Float64Array[];

/**
 * A Parzen estimator: the density whose kernels stand at past observations, with a prior over the whole range as the
 * last kernel; a kernel is a product over the dimensions.
 *
 * Sources: Bergstra et al. 2011 (Algorithms for hyper-parameter optimization); Watanabe 2023 (arXiv:2304.11127).
 */
export class ParzenEstimator {
  readonly #weights: Float64Array;
  readonly #dimensions: readonly (NumericKernels | CategoricalKernels)[];
  #shared: InOrder | undefined;

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
    this.#dimensions = space.map(([name, distribution], d) => {
      const observed = observations[d]!;
      if (distribution.name === 'CategoricalDistribution') {
        return categoricalKernels(
          observed,
          distribution,
          settings.priorWeight,
          Object.hasOwn(settings.categoricalDistance, name) ? settings.categoricalDistance[name] : undefined,
        );
      }
      const range = kernelRange(distribution);
      const centres = range.log ? observed.map(log) : observed;
      const { low, high } = range;
      const widths = append(kernelWidths(centres, range, space.length, settings), high - low);
      const cells = cellMassesOf(distribution);
      return {
        distribution,
        range,
        centres: append(centres, 0.5 * (low + high)),
        widths,
        cells,
        masses: cells ? Array.from(widths, (width) => cells.of(width)) : [],
      };
    });
  }

  /** Draws `size` points: first a kernel for each, then the categorical dimensions, then all numeric ones. */
  sample(random: NumpyRandom, size: number): Columns {
    const kernels = random.indices(this.#weights, size);
    const columns = this.#dimensions.map(() => new Float64Array(size));
    for (const [d, dimension] of this.#dimensions.entries()) {
      if ('rows' in dimension) sampleCategorical(random, dimension, kernels, columns[d]!);
    }
    const numeric = [...this.#dimensions.entries()].filter(
      (entry): entry is [number, NumericKernels] => 'range' in entry[1],
    );
    if (numeric.length === 0) return columns;
    const count = numeric.length * size;
    const [a, b] = [new Float64Array(count), new Float64Array(count)];
    numeric.forEach(([, { range, centres, widths }], k) => {
      kernels.forEach((kernel, i) => {
        a[k * size + i] = (range.low - centres[kernel]!) / widths[kernel]!;
        b[k * size + i] = (range.high - centres[kernel]!) / widths[kernel]!;
      });
    });
    const x = new Float64Array(count).map(() => random.random());
    quantiles(x, a, b);
    numeric.forEach(([d, dimension], k) => {
      kernels.forEach((kernel, i) => {
        const centre = dimension.centres[kernel]!;
        const value = x[k * size + i]! * dimension.widths[kernel]! + centre;
        // The kernel may be too far away for a quantile: what it has within the range is at the end towards it.
        columns[d]![i] = toRange(Number.isNaN(value) ? centre : value, dimension.distribution);
      });
    });
    return columns;
  }

  /** The logarithm of the density at each point; on a grid, of the mass of its cell. Good to some 12 digits. */
  logDensity(points: Columns): Float64Array {
    const heights = this.#logHeights();
    const terms = new Float64Array(this.#weights.length);
    return points[0]!.map((_, i) => {
      if (!heights) return this.logDensityInOrder(points, i);
      terms.set(heights);
      this.#dimensions.forEach((dimension, d) => {
        addLogShares(dimension, points[d]![i]!, terms);
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
    const { logWeights, logMasses, logWidths } = this.#inOrder();
    const terms = new Float64Array(this.#weights.length);
    const continuous: Float64Array[] = [];
    for (const [d, dimension] of this.#dimensions.entries()) {
      const x = points[d]![i]!;
      if ('rows' in dimension) {
        const { rows, choices } = dimension;
        for (let k = 0; k < terms.length; k++) terms[k]! += log(rows[k * choices + x]!);
        continue;
      }
      const { range, centres, widths } = dimension;
      const [masses, logWidth] = [logMasses[d]!, logWidths[d]!];
      if (range.step === null) {
        const at = range.log ? log(x) : x;
        const logDensities = terms.map((_, k) => {
          const z = (at - centres[k]!) / widths[k]!;
          return -(z * z) / 2 - LOG_ROOT_2PI - masses[k]! - logWidth[k]!;
        });
        continuous.push(logDensities);
      } else {
        const [from, to] = cellOf(x, range, log);
        for (let k = 0; k < terms.length; k++) {
          terms[k]! += logMass((from - centres[k]!) / widths[k]!, (to - centres[k]!) / widths[k]!);
          terms[k]! -= masses[k]!;
        }
      }
    }
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

  /** By kernel, its logarithm but for the shares at a point; null where a mass is too small for a quick one. */
  #logHeights(): Float64Array | null {
    const heights = this.#weights.map(Math.log);
    for (const dimension of this.#dimensions) {
      if ('rows' in dimension) continue;
      const { range, centres, widths } = dimension;
      for (let k = 0; k < heights.length; k++) {
        const [centre, width] = [centres[k]!, widths[k]!];
        const mass = normalMass((range.low - centre) / width, (range.high - centre) / width);
        if (!(mass > LEAST_MASS)) return null;
        heights[k]! -= Math.log(mass) + (range.step === null ? Math.log(width) : 0);
      }
    }
    return heights;
  }

  /** What all points share, computed when it is first asked for. */
  #inOrder(): InOrder {
    this.#shared ??= {
      logWeights: this.#weights.map(log),
      logMasses: this.#dimensions.map((dimension) =>
        'rows' in dimension
          ? NOTHING
          : dimension.centres.map((centre, k) => {
              const { range, widths } = dimension;
              return logMass((range.low - centre) / widths[k]!, (range.high - centre) / widths[k]!);
            }),
      ),
      logWidths: this.#dimensions.map((dimension) =>
        'rows' in dimension ? NOTHING : dimension.widths.map(log),
      ),
    };
    return this.#shared;
  }
}

/** Adds to each kernel the logarithm of its share in one dimension at one value, but for what all values share. */
function addLogShares(dimension: NumericKernels | CategoricalKernels, x: number, terms: Float64Array): void {
  const kernels = terms.length;
  if ('rows' in dimension) {
    const logs = logsOf(dimension, x);
    for (let k = 0; k < kernels; k++) terms[k]! += logs[k]!;
    return;
  }
  const { range, centres, widths, cells, masses } = dimension;
  if (range.step === null) {
    const at = range.log ? Math.log(x) : x;
    for (let k = 0; k < kernels; k++) {
      const z = (at - centres[k]!) / widths[k]!;
      terms[k]! -= 0.5 * z * z;
    }
    return;
  }
  if (cells) {
    for (let k = 0; k < kernels; k++) terms[k]! += cells.logMassAt(masses[k]!, centres[k]!, x);
    return;
  }
  const [from, to] = cellOf(x, range);
  for (let k = 0; k < kernels; k++) {
    const [centre, width] = [centres[k]!, widths[k]!];
    terms[k]! += Math.log(normalMass((from - centre) / width, (to - centre) / width));
  }
}

/** Terms below the largest by more add nothing that a double could show. */
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

function sampleCategorical(
  random: NumpyRandom,
  { rows, choices }: CategoricalKernels,
  kernels: Int32Array,
  column: Float64Array,
): void {
  const draws = column.map(() => random.random());
  for (let i = 0; i < column.length; i++) {
    const start = kernels[i]! * choices;
    let sum = 0;
    let index = 0;
    // The last running sum counts as 1.
    for (let c = 0; c < choices - 1; c++) {
      sum += rows[start + c]!;
      if (sum < draws[i]!) index++;
    }
    column[i] = index;
  }
}

/** A kernel's draw as a value of the parameter. */
function toRange(x: number, { low, high, log: isLog, step }: NumericDistribution): number {
  const value = isLog ? exp(x) : x;
  const placed = step === null ? value : low + roundHalfEven((value - low) / step) * step;
  return Math.min(Math.max(placed, low), high);
}

function append(values: Float64Array, last: number): Float64Array {
  const all = new Float64Array(values.length + 1);
  all.set(values);
  all[values.length] = last;
  return all;
}
