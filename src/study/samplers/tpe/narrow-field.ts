import { cellMassesOf } from './cell-masses.js';
import { normalMass } from './normal-mass.js';
import { cellOf, type KernelRange, type NumericDistribution } from './numeric-kernels.js';

/**
 * The sum of many kernels of one width, kept so that adding one and asking for the sum at a point cost the same
 * however many there are.
 *
 * Each kernel counts in two sums, by an amplitude and by its amplitude times its rank, since a kernel's weight is a
 * linear function of its rank whose coefficients change with every trial.
 */
export interface NarrowField {
  /** Whether a kernel may stand there; one outside the range, or between the points of the grid, may not. */
  holds(centre: number): boolean;
  add(centre: number, amplitude: number, ranked: number): void;
  /** Fixes the weight of a kernel as `constant + slope·rank` for the calls of `at` that follow. */
  weigh(constant: number, slope: number): void;
  /** The weighted sum at a value of the parameter: of densities, or on a grid of masses of its cell. */
  at(x: number): number;
  /** One kernel of amplitude 1. */
  kernelAt(centre: number, x: number): number;
}

export function narrowField(
  distribution: NumericDistribution,
  range: KernelRange,
  width: number,
): NarrowField {
  if (range.step === null) return new GaussField(range, width);
  const points = Math.round((distribution.high - distribution.low) / range.step) + 1;
  return cellMassesOf(distribution)
    ? new GridField(distribution.low, range.step, points, width)
    : new DistinctField(range, width);
}

/** Kernels further off than this many widths are below 1e-19 of their height, and left out. */
const REACH = 9.5;
const TERMS = 24;

/**
 * Bells at any place, by the fast Gauss transform (Greengard & Strain 1991) in its Taylor form: with u and v the
 * distances of a point and a kernel from the middle of the kernel's cell, in widths,
 * exp(−(u − v)²/2) = exp(−u²/2) Σ uᵏ · vᵏ exp(−v²/2)/k!. Cells are one width wide; 24 terms give 14 digits.
 */
class GaussField implements NarrowField {
  readonly #cells: number;
  readonly #amplitudes: Float64Array;
  readonly #ranked: Float64Array;
  readonly #weighed: Float64Array;

  constructor(
    private readonly range: KernelRange,
    private readonly width: number,
  ) {
    this.#cells = Math.round((range.high - range.low) / width);
    this.#amplitudes = new Float64Array(this.#cells * TERMS);
    this.#ranked = new Float64Array(this.#cells * TERMS);
    this.#weighed = new Float64Array(this.#cells * TERMS);
  }

  holds(centre: number): boolean {
    return centre >= this.range.low && centre <= this.range.high;
  }

  add(centre: number, amplitude: number, ranked: number): void {
    const place = (centre - this.range.low) / this.width;
    const cell = Math.min(Math.floor(place), this.#cells - 1);
    const v = place - cell - 0.5;
    let term = Math.exp(-0.5 * v * v);
    for (let k = 0, i = cell * TERMS; k < TERMS; i++) {
      this.#amplitudes[i]! += amplitude * term;
      this.#ranked[i]! += ranked * term;
      term *= v / ++k;
    }
  }

  weigh(constant: number, slope: number): void {
    const [weighed, amplitudes, ranked] = [this.#weighed, this.#amplitudes, this.#ranked];
    for (let i = 0; i < weighed.length; i++) weighed[i] = constant * amplitudes[i]! + slope * ranked[i]!;
  }

  at(x: number): number {
    const place = ((this.range.log ? Math.log(x) : x) - this.range.low) / this.width;
    const first = Math.max(0, Math.floor(place - REACH));
    const last = Math.min(this.#cells - 1, Math.floor(place + REACH));
    const weighed = this.#weighed;
    let sum = 0;
    for (let cell = first; cell <= last; cell++) {
      const start = cell * TERMS;
      if (weighed[start] === 0) continue;
      const u = place - cell - 0.5;
      let series = 0;
      for (let i = start + TERMS - 1; i >= start; i--) series = series * u + weighed[i]!;
      sum += series * Math.exp(-0.5 * u * u);
    }
    return sum;
  }

  kernelAt(centre: number, x: number): number {
    const z = ((this.range.log ? Math.log(x) : x) - centre) / this.width;
    return Math.exp(-0.5 * z * z);
  }
}

/** Kernels at the points of a grid that is not too fine: a sum over the points within reach. */
class GridField implements NarrowField {
  readonly #amplitudes: Float64Array;
  readonly #ranked: Float64Array;
  readonly #weighed: Float64Array;
  /** The mass of a cell so many points from the centre. */
  readonly #masses: Float64Array;

  constructor(
    private readonly low: number,
    private readonly step: number,
    points: number,
    width: number,
  ) {
    this.#amplitudes = new Float64Array(points);
    this.#ranked = new Float64Array(points);
    this.#weighed = new Float64Array(points);
    const reach = Math.min(points - 1, Math.ceil((REACH * width) / step));
    this.#masses = Float64Array.from({ length: reach + 1 }, (_, k) =>
      normalMass(((k - 0.5) * step) / width, ((k + 0.5) * step) / width),
    );
  }

  holds(centre: number): boolean {
    const place = (centre - this.low) / this.step;
    const point = Math.round(place);
    return Math.abs(place - point) < 1e-9 && point >= 0 && point < this.#amplitudes.length;
  }

  add(centre: number, amplitude: number, ranked: number): void {
    const point = this.#pointOf(centre);
    this.#amplitudes[point]! += amplitude;
    this.#ranked[point]! += ranked;
  }

  weigh(constant: number, slope: number): void {
    const [weighed, amplitudes, ranked] = [this.#weighed, this.#amplitudes, this.#ranked];
    for (let i = 0; i < weighed.length; i++) weighed[i] = constant * amplitudes[i]! + slope * ranked[i]!;
  }

  at(x: number): number {
    const [weighed, masses] = [this.#weighed, this.#masses];
    const point = this.#pointOf(x);
    const first = Math.max(0, point - masses.length + 1);
    const last = Math.min(weighed.length - 1, point + masses.length - 1);
    let sum = 0;
    for (let i = first; i <= last; i++) sum += weighed[i]! * masses[Math.abs(i - point)]!;
    return sum;
  }

  kernelAt(centre: number, x: number): number {
    return this.#masses[Math.abs(this.#pointOf(centre) - this.#pointOf(x))] ?? 0;
  }

  #pointOf(x: number): number {
    return Math.round((x - this.low) / this.step);
  }
}

/** Kernels at few different places, on a fine or a logarithmic grid: a sum over the places. */
class DistinctField implements NarrowField {
  readonly #places = new Map<number, { amplitude: number; ranked: number }>();
  #constant = 0;
  #slope = 0;

  constructor(
    private readonly range: KernelRange,
    private readonly width: number,
  ) {}

  holds(centre: number): boolean {
    return centre >= this.range.low && centre <= this.range.high;
  }

  add(centre: number, amplitude: number, ranked: number): void {
    const place = this.#places.get(centre);
    if (place) {
      place.amplitude += amplitude;
      place.ranked += ranked;
    } else this.#places.set(centre, { amplitude, ranked });
  }

  weigh(constant: number, slope: number): void {
    this.#constant = constant;
    this.#slope = slope;
  }

  at(x: number): number {
    const [from, to] = cellOf(x, this.range);
    let sum = 0;
    for (const [centre, { amplitude, ranked }] of this.#places) {
      const [a, b] = [(from - centre) / this.width, (to - centre) / this.width];
      if (a < REACH && b > -REACH)
        sum += (this.#constant * amplitude + this.#slope * ranked) * normalMass(a, b);
    }
    return sum;
  }

  kernelAt(centre: number, x: number): number {
    const [from, to] = cellOf(x, this.range);
    return normalMass((from - centre) / this.width, (to - centre) / this.width);
  }
}
