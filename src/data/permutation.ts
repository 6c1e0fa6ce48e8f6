import { randomStream } from '../random/random-stream.js';

const ROUNDS = 6;

/**
 * A pseudo-random permutation of 0…n−1, as a function: position → index.
 *
 * Nothing is stored but the round keys, so that shuffling a million files starts at once and any position of any
 * epoch can be asked for directly. A Feistel network (Luby & Rackoff 1988) permutes the next even power of two;
 * results beyond n are fed back until they fall inside (cycle walking, Black & Rogaway 2002): fewer than four
 * rounds on average.
 *
 * @example
 * const shuffled = permutation(5, 42, 'shuffle', 1);
 * [0, 1, 2, 3, 4].map(shuffled).sort(); // => [0, 1, 2, 3, 4]
 */
export function permutation(
  n: number,
  seed: number,
  ...key: readonly (string | number)[]
): (position: number) => number {
  const half = Math.max(1, Math.ceil(Math.log2(Math.max(n, 2)) / 2));
  const mask = 2 ** half - 1;
  const random = randomStream(seed, ...key);
  const keys = Array.from({ length: ROUNDS }, () => Math.floor(random() * 2 ** 32));

  const shuffle = (value: number) => {
    let upperHalf = Math.floor(value / (mask + 1));
    let right = value & mask;
    for (const roundKey of keys) [upperHalf, right] = [right, upperHalf ^ (mix(right, roundKey) & mask)];
    return upperHalf * (mask + 1) + right;
  };
  return (position) => {
    let value = shuffle(position);
    while (value >= n) value = shuffle(value);
    return value;
  };
}

/** The finalizer of MurmurHash3 (Appleby), keyed. */
function mix(value: number, key: number): number {
  let h = value ^ key;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
