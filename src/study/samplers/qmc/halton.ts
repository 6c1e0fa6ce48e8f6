import { randomStream } from '../../../random/random-stream.js';

/**
 * Points of the Halton sequence (Halton 1960): coordinate d of point i, from 0, is i's digits in the d-th prime base,
 * mirrored at the point. In [0, 1)^dimensions.
 *
 * With a seed each digit of each base is permuted at random (Owen 2017, "A randomized Halton algorithm in R"), which
 * makes each point uniform and breaks the lines that large bases draw. Without one, the first point is the origin.
 */
export function halton(dimensions: number, seed?: number): (index: number) => number[] {
  const bases = primes(dimensions);
  const permutations = bases.map((base, d) => (seed === undefined ? null : permutationsOf(base, seed, d)));
  return (index) => bases.map((base, d) => mirrored(index, base, permutations[d]!));
}

/** Sums digits from the last to the first, which loses less precision than the reverse. */
function mirrored(index: number, base: number, permutations: readonly Uint16Array[] | null): number {
  const digits: number[] = [];
  if (permutations === null) for (let i = index; i > 0; i = Math.floor(i / base)) digits.push(i % base);
  else
    permutations.reduce((i, permutation) => {
      digits.push(permutation[i % base]!);
      return Math.floor(i / base);
    }, index);
  return digits.reduceRight((fraction, digit) => (fraction + digit) / base, 0);
}

/** One permutation for each digit that a double can hold, leading zeros included. */
function permutationsOf(base: number, seed: number, dimension: number): Uint16Array[] {
  const random = randomStream(seed, 'halton', dimension);
  return Array.from({ length: Math.ceil(53 / Math.log2(base)) }, () => {
    const permutation = Uint16Array.from({ length: base }, (_, i) => i);
    for (let i = base - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [permutation[i], permutation[j]] = [permutation[j]!, permutation[i]!];
    }
    return permutation;
  });
}

function primes(count: number): number[] {
  const list: number[] = [];
  for (let n = 2; list.length < count; n++) if (list.every((prime) => n % prime !== 0)) list.push(n);
  return list;
}
