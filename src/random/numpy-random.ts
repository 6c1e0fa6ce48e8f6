import { randomInt } from 'node:crypto';
import { UserError } from '../base/errors.js';
import { MersenneTwister } from './mersenne-twister.js';

/**
 * The draws of numpy's `RandomState`, bit for bit, so that samplers can be compared with Optuna's.
 *
 * @example
 * NumpyRandom.fromSeed(42).uniform(0, 10); // => 3.745401188473625, RandomState(42).uniform(0, 10)
 */
export class NumpyRandom {
  /** `randn` makes two numbers at a time. */
  #spare: number | undefined;

  private constructor(private readonly twister: MersenneTwister) {}

  /**
   * `RandomState(seed)`; without a seed, a stream that cannot be repeated.
   *
   * @throws UserError when the seed is not an integer of 32 bits.
   */
  static fromSeed(seed: number = randomInt(2 ** 32)): NumpyRandom {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new UserError(`seed: expected an integer from 0 to ${2 ** 32 - 1}, got ${seed}`, { seed });
    }
    return new NumpyRandom(MersenneTwister.fromSeed(seed));
  }

  /** `rand()`: uniform in [0, 1). */
  random(): number {
    return this.twister.random();
  }

  /** `uniform(low, high)`. */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.twister.random();
  }

  /** `randn()`: from the standard normal distribution, by the polar method (Marsaglia & Bray 1964). */
  normal(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    for (;;) {
      const x = 2 * this.twister.random() - 1;
      const y = 2 * this.twister.random() - 1;
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = factor * x;
      return factor * y;
    }
  }

  /** `randint(count)`: an integer from 0 to count − 1, from as many draws of 32 bits as its mask rejects. */
  integer(count: number): number {
    const most = count - 1;
    if (most === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(most);
    for (;;) {
      const value = (this.twister.uint32() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  /** `choice(len(weights), p=weights)`: an index, by inversion of the running sums. */
  index(weights: ArrayLike<number>): number {
    return this.indices(weights, 1)[0]!;
  }

  /** `choice(len(weights), p=weights, size=size)`; the weights sum to 1 but for rounding. */
  indices(weights: ArrayLike<number>, size: number): Int32Array {
    const sums = new Float64Array(weights.length);
    let sum = 0;
    for (let i = 0; i < sums.length; i++) {
      sum += weights[i]!;
      sums[i] = sum;
    }
    for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! / sum;
    return new Int32Array(size).map(() => countUpTo(sums, this.twister.random()));
  }

  /** `shuffle(list)`, in place. */
  shuffle<T>(list: T[]): void {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
  }
}

/** The number of ascending values that are at most `x`. */
function countUpTo(ascending: Float64Array, x: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
