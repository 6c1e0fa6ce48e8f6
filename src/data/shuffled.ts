import { MersenneTwister } from '../random/mersenne-twister.js';

/**
 * What CPython's `random.seed(seed); random.shuffle(list)` leaves, bit for bit (Fisher & Yates; the index is drawn by
 * rejection from as many random bits as it needs).
 */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const twister = MersenneTwister.fromInteger(seed);
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const bits = 32 - Math.clz32(i + 1);
    let j = twister.bits(bits);
    while (j > i) j = twister.bits(bits);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
