import { exp, log } from '../../../numeric/exp-log.js';
import { roundHalfEven } from '../../../numeric/float.js';
import { pairwiseSum } from '../../../numeric/pairwise-sum.js';
import type { NumpyRandom } from '../../../numpy-random.js';
import type { Distribution } from '../../distributions.js';
import { type CategoricalKernels, categoricalKernels } from './categorical-kernels.js';
import { type CellMasses, cellMassesOf } from './cell-masses.js';
import { normalMass } from './normal-mass.js';
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
  readonly masses: readonly Float64Array[];
}

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
          settings.categoricalDistance[name],
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
        const value = x[k * size + i]! * dimension.widths[kernel]! + dimension.centres[kernel]!;
        columns[d]![i] = toRange(value, dimension.distribution);
      });
    });
    return columns;
  }

  /** The logarithm of the density at each point; on a grid, of the mass of its cell. Good to some 12 digits. */
  logDensity(points: Columns): Float64Array {
    const kernels = this.#weights.length;
    const heights = this.#weights.slice();
    for (const dimension of this.#dimensions) {
      if ('rows' in dimension) continue;
      const { range, centres, widths } = dimension;
      for (let k = 0; k < kernels; k++) {
        const [centre, width] = [centres[k]!, widths[k]!];
        const mass = normalMass((range.low - centre) / width, (range.high - centre) / width);
        heights[k]! /= range.step === null ? mass * width : mass;
      }
    }
    // Below this exponent of e a kernel is nothing beside the prior, even if it is 1e12 times as high in each dimension.
    const negligible = this.#weights[kernels - 1]! > 0 ? -80 - 30 * this.#dimensions.length : -746;
    const products = new Float64Array(kernels);
    const exponents = new Float64Array(kernels);
    return points[0]!.map((_, i) => {
      products.set(heights);
      exponents.fill(0);
      this.#dimensions.forEach((dimension, d) => {
        multiplyAt(dimension, points[d]![i]!, products, exponents);
      });
      let sum = 0;
      for (let k = 0; k < kernels; k++)
        if (exponents[k]! > negligible) sum += products[k]! * Math.exp(exponents[k]!);
      return Math.log(sum);
    });
  }

  /**
   * The same at the i-th point in each rounding as Optuna's, which decides between points where only the prior counts,
   * or choices that were seen equally often.
   */
  logDensityInOrder(points: Columns, i: number): number {
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
      const logTotal = (k: number) =>
        logMass((range.low - centres[k]!) / widths[k]!, (range.high - centres[k]!) / widths[k]!);
      if (range.step === null) {
        const at = range.log ? log(x) : x;
        const logDensities = terms.map((_, k) => {
          const z = (at - centres[k]!) / widths[k]!;
          return -(z * z) / 2 - LOG_ROOT_2PI - logTotal(k) - log(widths[k]!);
        });
        continuous.push(logDensities);
      } else {
        const [from, to] = cellOf(x, range, log);
        for (let k = 0; k < terms.length; k++) {
          terms[k]! += logMass((from - centres[k]!) / widths[k]!, (to - centres[k]!) / widths[k]!);
          terms[k]! -= logTotal(k);
        }
      }
    }
    for (let k = 0; k < terms.length; k++) {
      if (continuous.length > 0) terms[k]! += pairwiseSum(continuous.map((column) => column[k]!));
      terms[k]! += log(this.#weights[k]!);
    }
    const most = terms.reduce((x, y) => Math.max(x, y));
    return log(pairwiseSum(terms.map((term) => exp(term - most)))) + most;
  }
}

/** Multiplies each kernel by its share in one dimension at one value, or adds to its exponent. */
function multiplyAt(
  dimension: NumericKernels | CategoricalKernels,
  x: number,
  products: Float64Array,
  exponents: Float64Array,
): void {
  const kernels = products.length;
  if ('rows' in dimension) {
    const { rows, choices } = dimension;
    for (let k = 0; k < kernels; k++) products[k]! *= rows[k * choices + x]!;
    return;
  }
  const { range, centres, widths, cells, masses } = dimension;
  if (range.step === null) {
    const at = range.log ? Math.log(x) : x;
    for (let k = 0; k < kernels; k++) {
      const z = (at - centres[k]!) / widths[k]!;
      exponents[k]! -= 0.5 * z * z;
    }
    return;
  }
  if (cells) {
    for (let k = 0; k < kernels; k++) products[k]! *= cells.massAt(masses[k]!, widths[k]!, centres[k]!, x);
    return;
  }
  const [from, to] = cellOf(x, range);
  for (let k = 0; k < kernels; k++) {
    const [centre, width] = [centres[k]!, widths[k]!];
    products[k]! *= normalMass((from - centre) / width, (to - centre) / width);
  }
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
