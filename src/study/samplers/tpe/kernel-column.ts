import { log } from '../../../numeric/exp-log.js';
import { type CellMasses, cellMassesOf } from './cell-masses.js';
import { fieldFor } from './field-for.js';
import { type Kernel, KernelOrder } from './kernel-order.js';
import type { NarrowField } from './narrow-field.js';
import { LEAST_MASS, normalMass } from './normal-mass.js';
import {
  type KernelRange,
  kernelRange,
  type NumericDistribution,
  neighbourGap,
  smallestWidth,
} from './numeric-kernels.js';
import { type SingleKernel, sumAt } from './single-kernels.js';

/** The number of kernels from which narrow ones share a field; from 98 on the smallest width is constant. */
const FIELD_FROM = 110;
const FIELD_UNTIL = 98;
/** The newest observations, which count fully; the weights before rise from 1/n to 1. */
const FULL = 25;

/**
 * The Parzen estimator of one numeric parameter for observations that come and go: the density that `ParzenEstimator`
 * gives with the default weights, at the cost of a few bisections an observation, and at a cost per point that does not
 * grow with their number.
 *
 * A kernel reaches as far as its neighbours are but no less than a hundredth of the range, so that at most 200 kernels
 * are wider than that. All others are summed in a field.
 */
export class KernelColumn {
  readonly #order = new KernelOrder();
  readonly #wide = new Set<Kernel>();
  readonly #range: KernelRange;
  /** The width of narrow kernels. */
  readonly #width: number;
  readonly #cells: CellMasses | null;
  #field: NarrowField | null = null;
  /** The number of removals from the field, each of which leaves rounding errors. */
  #removals = 0;

  constructor(
    private readonly distribution: NumericDistribution,
    private readonly priorWeight: number,
    private readonly endpoints: boolean,
  ) {
    this.#range = kernelRange(distribution);
    this.#width = (this.#range.high - this.#range.low) / 100;
    this.#cells = cellMassesOf(distribution);
  }

  /** Adds the observation of a trial. */
  insert(number: number, value: number): void {
    const centre = this.#range.log ? log(value) : value;
    const kernel: Kernel = { number, centre, gap: 0, narrow: false, width: 0, amplitude: 0 };
    this.#shift(this.#order.rankOf(number), 1);
    const place = this.#order.insert(kernel);
    this.#wide.add(kernel);
    for (let i = place - 1; i <= place + 1; i++) this.#measure(i);
    if (!this.#field && this.#order.count >= FIELD_FROM) this.#build();
  }

  /** Removes the observation of a trial. */
  remove(number: number): void {
    const rank = this.#order.rankOf(number);
    const kernel = this.#order.byNumber[rank]!;
    if (kernel.narrow) this.#leaveField(kernel, rank);
    this.#wide.delete(kernel);
    const place = this.#order.remove(kernel);
    this.#shift(rank, -1);
    for (let i = place - 1; i <= place; i++) this.#measure(i);
    const { count } = this.#order;
    if (this.#field && count < FIELD_UNTIL) this.#dissolve();
    else if (this.#field && this.#removals > 4 * count) {
      this.#dissolve();
      this.#build();
    }
  }

  /**
   * The logarithm of the density at each value but for a constant, good to some 12 digits; not finite where that needs
   * logarithms throughout, since some kernel lies far outside the range, or all are far from the value.
   */
  logDensity(points: Float64Array): Float64Array {
    const { count } = this.#order;
    const ramp = count - FULL;
    const first = 1 / count;
    const slope = ramp > 1 ? (1 - first) / (ramp - 1) : 0;
    const weightOf = (rank: number) => (rank >= ramp ? 1 : first + slope * rank);
    const singles = this.#singles(weightOf);
    const field = this.#field;
    field?.weigh(first, slope);
    // The field counts the newest too low or too high.
    const newest = field ? this.#order.byNumber.slice(ramp).filter(({ narrow }) => narrow) : [];
    const corrections = newest.map(({ number, amplitude }) => {
      const rank = this.#order.rankOf(number);
      return amplitude * (1 - first - slope * rank);
    });

    const cache = new Map<number, number>();
    return points.map((x) => {
      const before = cache.get(x);
      if (before !== undefined) return before;
      let sum = sumAt(singles, this.#range, this.#cells, x) + (field?.at(x) ?? 0);
      for (let i = 0; i < newest.length; i++) sum += corrections[i]! * field!.kernelAt(newest[i]!.centre, x);
      const value = Math.log(sum);
      cache.set(x, value);
      return value;
    });
  }

  /** The wide kernels and the prior. */
  #singles(weightOf: (rank: number) => number): SingleKernel[] {
    const { low, high } = this.#range;
    const singles: SingleKernel[] = [];
    const most = high - low;
    const least = smallestWidth(this.#range, this.#order.count, true);
    for (const kernel of this.#wide) {
      this.#resize(kernel, least);
      const { number, centre, width, amplitude } = kernel;
      const weight = weightOf(this.#order.rankOf(number)) * amplitude;
      singles.push({ centre, width, weight, masses: this.#cells?.of(width) });
    }
    const middle = 0.5 * (low + high);
    const prior = this.#order.count === 0 ? 1 : this.priorWeight;
    const weight = prior * this.#amplitudeOf(middle, most);
    singles.push({ centre: middle, width: most, weight, masses: this.#cells?.of(most) });
    return singles;
  }

  /** Recomputes the width of the i-th kernel by centre, and moves it to the field or out of it. */
  #measure(i: number): void {
    const sorted = this.#order.byCentre;
    const kernel = sorted[i];
    if (!kernel) return;
    const { low, high } = this.#range;
    const last = sorted.length - 1;
    const before = kernel.centre - (i > 0 ? sorted[i - 1]!.centre : low);
    const after = (i < last ? sorted[i + 1]!.centre : high) - kernel.centre;
    kernel.gap = neighbourGap(before, after, i === 0, i === last, this.endpoints);
    if (this.#field) this.#classify(kernel, this.#field);
  }

  #classify(kernel: Kernel, field: NarrowField): void {
    const { centre, gap } = kernel;
    const narrow = gap <= this.#width && field.holds(centre);
    if (narrow && kernel.narrow) return;
    if (kernel.narrow) this.#leaveField(kernel, this.#order.rankOf(kernel.number));
    this.#resize(kernel, this.#width);
    kernel.narrow = narrow;
    if (narrow) {
      field.add(centre, kernel.amplitude, kernel.amplitude * this.#order.rankOf(kernel.number));
      this.#wide.delete(kernel);
    } else this.#wide.add(kernel);
  }

  #resize(kernel: Kernel, least: number): void {
    const { low, high } = this.#range;
    const width = Math.min(Math.max(kernel.gap, least), high - low);
    if (width === kernel.width) return;
    kernel.width = width;
    kernel.amplitude = this.#amplitudeOf(kernel.centre, width);
  }

  #leaveField({ centre, amplitude }: Kernel, rank: number): void {
    this.#field!.add(centre, -amplitude, -amplitude * rank);
    this.#removals++;
  }

  /** The kernels from `rank` on move up or down by one. */
  #shift(rank: number, by: number): void {
    const field = this.#field;
    if (!field) return;
    const ordered = this.#order.byNumber;
    for (let i = rank; i < ordered.length; i++) {
      const { narrow, centre, amplitude } = ordered[i]!;
      if (narrow) field.add(centre, 0, by * amplitude);
    }
  }

  #build(): void {
    const field = fieldFor(this.distribution, this.#range, this.#width);
    this.#field = field;
    this.#removals = 0;
    for (const kernel of this.#order.byNumber) this.#classify(kernel, field);
  }

  #dissolve(): void {
    this.#field = null;
    for (const kernel of this.#order.byNumber) {
      kernel.narrow = false;
      this.#wide.add(kernel);
    }
  }

  #amplitudeOf(centre: number, width: number): number {
    const { low, high, step } = this.#range;
    const mass = normalMass((low - centre) / width, (high - centre) / width);
    if (!(mass > LEAST_MASS)) return Number.NaN;
    return step === null ? this.#width / (mass * width) : 1 / mass;
  }
}
