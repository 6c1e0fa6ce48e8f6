import { type NarrowField, REACH } from './narrow-field.js';
import { normalMass } from './normal-mass.js';
import { cellOf, type KernelRange } from './numeric-kernels.js';

/** Kernels at few distinct places, on a fine or a logarithmic grid: a sum over the places. */
export class DistinctField implements NarrowField {
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
