import { UserError } from '../base/errors.js';

const N = 624;
const M = 397;

/**
 * The Mersenne Twister MT19937 (Matsumoto & Nishimura 1998), the generator behind CPython's `random` and
 * numpy's `RandomState`: their streams can be reproduced bit for bit. For everything of our own use
 * `randomStream`.
 *
 * @example
 * MersenneTwister.fromSeed(42).random(); // => 0.3745401188473625, numpy's RandomState(42).rand()
 * MersenneTwister.fromInteger(42).random(); // => 0.6394267984578837, CPython's random.seed(42); random.random()
 */
export class MersenneTwister {
  readonly #state: Uint32Array;
  #index: number;

  private constructor(state: Uint32Array, index: number) {
    this.#state = state;
    this.#index = index;
  }

  /** init_genrand: numpy's `RandomState(seed)`, for a seed of 32 bits. */
  static fromSeed(seed: number): MersenneTwister {
    const state = new Uint32Array(N);
    state[0] = seed;
    for (let i = 1; i < N; i++) {
      const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
      state[i] = Math.imul(1812433253, previous) + i;
    }
    return new MersenneTwister(state, N);
  }

  /**
   * CPython's `random.seed(n)`: the key is |n| in words of 32 bits, the low one first.
   *
   * @throws UserError for what is not an integer.
   */
  static fromInteger(n: number): MersenneTwister {
    if (!Number.isInteger(n)) throw new UserError(`seed: expected an integer, got ${n}`, { seed: n });
    const key: number[] = [];
    for (let rest = BigInt(Math.abs(n)); rest > 0n; rest >>= 32n) key.push(Number(rest & 0xffffffffn));
    return MersenneTwister.fromKey(key.length > 0 ? key : [0]);
  }

  /** init_by_array: a key of words of 32 bits. */
  static fromKey(key: readonly number[]): MersenneTwister {
    const state = MersenneTwister.fromSeed(19650218).#state;
    let i = 1;
    const advance = () => {
      if (++i >= N) {
        state[0] = state[N - 1]!;
        i = 1;
      }
    };
    const mixed = (factor: number) => state[i]! ^ Math.imul(state[i - 1]! ^ (state[i - 1]! >>> 30), factor);
    for (let k = 0; k < Math.max(N, key.length); k++) {
      const j = k % key.length;
      state[i] = mixed(1664525) + key[j]! + j;
      advance();
    }
    for (let k = 0; k < N - 1; k++) {
      state[i] = mixed(1566083941) - i;
      advance();
    }
    state[0] = 0x80000000;
    return new MersenneTwister(state, N);
  }

  /** A generator that continues from the same state and leaves this one unchanged. */
  clone(): MersenneTwister {
    return new MersenneTwister(this.#state.slice(), this.#index);
  }

  /** The next 32 bits, as an unsigned integer. */
  uint32(): number {
    if (this.#index >= N) this.#refill();
    let y = this.#state[this.#index++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** Uniform in [0, 1) with 53 bits, from two draws. */
  random(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** `count` random bits, 1 to 32: CPython's `getrandbits`. */
  bits(count: number): number {
    return this.uint32() >>> (32 - count);
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < N; i++) {
      const y = (state[i]! & 0x80000000) | (state[(i + 1) % N]! & 0x7fffffff);
      state[i] = state[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#index = 0;
  }
}
