import { type NarrowField, REACH } from './narrow-field.js';
import { normalMass } from './normal-mass.js';

/** Kernels at the points of a grid that is not too fine: a sum over the points within reach. */
export class GridField implements NarrowField {
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
    const [weights, amplitudes, ranked] = [this.#weighed, this.#amplitudes, this.#ranked];
    for (let i = 0; i < weights.length; i++) weights[i] = constant * amplitudes[i]! + slope * ranked[i]!;
  }

  at(x: number): number {
    const [weights, masses] = [this.#weighed, this.#masses];
    const point = this.#pointOf(x);
    const first = Math.max(0, point - masses.length + 1);
    const last = Math.min(weights.length - 1, point + masses.length - 1);
    let sum = 0;
    for (let i = first; i <= last; i++) sum += weights[i]! * masses[Math.abs(i - point)]!;
    return sum;
  }

  kernelAt(centre: number, x: number): number {
    return this.#masses[Math.abs(this.#pointOf(centre) - this.#pointOf(x))] ?? 0;
  }

  #pointOf(x: number): number {
    return Math.round((x - this.low) / this.step);
  }
}
