import { exp, log } from '../../../numeric/exp-log.js';
import { roundHalfEven } from '../../../numeric/float.js';
import type { NumpyRandom } from '../../../random/numpy-random.js';
import { type CellMasses, cellMassesOf, type Masses } from './cell-masses.js';
import type { Dimension } from './dimension.js';
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

/** Logarithms of the kernels' masses within the range and of their widths, in Optuna's roundings. */
interface InOrder {
  readonly logMasses: Float64Array;
  readonly logWidths: Float64Array;
}

/** The kernels of a numeric parameter: normal densities that are cut off at the ends of the range. */
export class NumericDimension implements Dimension {
  readonly #range: KernelRange;
  readonly #centres: Float64Array;
  readonly #widths: Float64Array;
  /** Where there is a grid, with each kernel's masses. */
  readonly #cells: CellMasses | null;
  readonly #masses: readonly Masses[];
  #inOrder: InOrder | undefined;

  constructor(
    observations: Float64Array,
    private readonly distribution: NumericDistribution,
    dimensions: number,
    settings: TpeSettings,
  ) {
    const range = kernelRange(distribution);
    const { low, high } = range;
    const centres = range.log ? observations.map(log) : observations;
    this.#range = range;
    this.#centres = append(centres, 0.5 * (low + high));
    this.#widths = append(kernelWidths(centres, range, dimensions, settings), high - low);
    const cells = cellMassesOf(distribution);
    this.#cells = cells;
    this.#masses = cells ? Array.from(this.#widths, (width) => cells.of(width)) : [];
  }

  addHeights(terms: Float64Array): boolean {
    const { low, high, step } = this.#range;
    for (let k = 0; k < terms.length; k++) {
      const [centre, width] = [this.#centres[k]!, this.#widths[k]!];
      const mass = normalMass((low - centre) / width, (high - centre) / width);
      if (!(mass > LEAST_MASS)) return false;
      terms[k]! -= Math.log(mass) + (step === null ? Math.log(width) : 0);
    }
    return true;
  }

  addShares(x: number, terms: Float64Array): void {
    const [range, centres, widths, cells, masses] = [
      this.#range,
      this.#centres,
      this.#widths,
      this.#cells,
      this.#masses,
    ];
    if (range.step === null) {
      const at = range.log ? Math.log(x) : x;
      for (let k = 0; k < terms.length; k++) {
        const z = (at - centres[k]!) / widths[k]!;
        terms[k]! -= 0.5 * z * z;
      }
    } else if (cells) {
      for (let k = 0; k < terms.length; k++) {
        const kernel = masses[k]!;
        terms[k]! += kernel.logs[cells.place(kernel, centres[k]!, x)]!;
      }
    } else {
      const [from, to] = cellOf(x, range);
      for (let k = 0; k < terms.length; k++) {
        const [centre, width] = [centres[k]!, widths[k]!];
        terms[k]! += Math.log(normalMass((from - centre) / width, (to - centre) / width));
      }
    }
  }

  addInOrder(x: number, terms: Float64Array): Float64Array | undefined {
    const [range, centres, widths] = [this.#range, this.#centres, this.#widths];
    const { logMasses, logWidths } = this.#logs();
    if (range.step === null) {
      const at = range.log ? log(x) : x;
      return centres.map((centre, k) => {
        const z = (at - centre) / widths[k]!;
        return -(z * z) / 2 - LOG_ROOT_2PI - logMasses[k]! - logWidths[k]!;
      });
    }
    const [from, to] = cellOf(x, range, log);
    for (let k = 0; k < terms.length; k++) {
      terms[k]! += logMass((from - centres[k]!) / widths[k]!, (to - centres[k]!) / widths[k]!);
      terms[k]! -= logMasses[k]!;
    }
    return undefined;
  }

  /** The part that all points share, computed at first use. */
  #logs(): InOrder {
    const { low, high } = this.#range;
    const widths = this.#widths;
    this.#inOrder ??= {
      logMasses: this.#centres.map((centre, k) =>
        logMass((low - centre) / widths[k]!, (high - centre) / widths[k]!),
      ),
      logWidths: widths.map(log),
    };
    return this.#inOrder;
  }

  /** Draws a value for each of the listed kernels, in all dimensions from one run of the stream. */
  static sample(
    random: NumpyRandom,
    dimensions: readonly NumericDimension[],
    kernels: Int32Array,
  ): Float64Array[] {
    const size = kernels.length;
    const count = dimensions.length * size;
    const [a, b] = [new Float64Array(count), new Float64Array(count)];
    dimensions.forEach((dimension, d) => {
      const { low, high } = dimension.#range;
      kernels.forEach((kernel, i) => {
        const [centre, width] = [dimension.#centres[kernel]!, dimension.#widths[kernel]!];
        a[d * size + i] = (low - centre) / width;
        b[d * size + i] = (high - centre) / width;
      });
    });
    const x = new Float64Array(count).map(() => random.random());
    quantiles(x, a, b);
    return dimensions.map((dimension, d) =>
      Float64Array.from(kernels, (kernel, i) => dimension.#valueOf(kernel, x[d * size + i]!)),
    );
  }

  /** The parameter's value at a quantile of a kernel. */
  #valueOf(kernel: number, quantile: number): number {
    const centre = this.#centres[kernel]!;
    const value = quantile * this.#widths[kernel]! + centre;
    // The kernel may be too far away for a quantile: what it has within the range is at the end towards it.
    return toRange(Number.isNaN(value) ? centre : value, this.distribution);
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
