import { type NarrowField, REACH } from './narrow-field.js';
import type { KernelRange } from './numeric-kernels.js';

const TERMS = 24;

/**
 * Bells at any place, by the fast Gauss transform (Greengard & Strain 1991) in its Taylor form: with u and v the
 * distances of a point and a kernel from the middle of the kernel's cell, in widths,
 * exp(−(u − v)²/2) = exp(−u²/2) Σ uᵏ · vᵏ exp(−v²/2)/k!. Cells are one width wide; 24 terms give 14 digits.
 */
export class GaussField implements NarrowField {
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
    const [weights, amplitudes, ranked] = [this.#weighed, this.#amplitudes, this.#ranked];
    for (let i = 0; i < weights.length; i++) weights[i] = constant * amplitudes[i]! + slope * ranked[i]!;
  }

  at(x: number): number {
    const place = ((this.range.log ? Math.log(x) : x) - this.range.low) / this.width;
    const first = Math.max(0, Math.floor(place - REACH));
    const last = Math.min(this.#cells - 1, Math.floor(place + REACH));
    const weights = this.#weighed;
    let sum = 0;
    for (let cell = first; cell <= last; cell++) {
      const start = cell * TERMS;
      if (weights[start] === 0) continue;
      const u = place - cell - 0.5;
      let series = 0;
      for (let i = start + TERMS - 1; i >= start; i--) series = series * u + weights[i]!;
      sum += series * Math.exp(-0.5 * u * u);
    }
    return sum;
  }

  kernelAt(centre: number, x: number): number {
    const z = ((this.range.log ? Math.log(x) : x) - centre) / this.width;
    return Math.exp(-0.5 * z * z);
  }
}
