import { UserError } from '../../../base/errors.js';
import { type Random, randomStream } from '../../../random/random-stream.js';
import { SOBOL_DIRECTIONS } from './sobol-directions.js';

const BITS = 32;
const ROWS = SOBOL_DIRECTIONS.trim().split(/\s+/);

/**
 * Points of the Sobol sequence (Sobol 1967), in Gray code order (Antonov & Saleev 1979) with the direction numbers
 * of Joe & Kuo 2008: `point(i)` is the i-th one, from 0, in [0, 1)^dimensions.
 *
 * With a seed the points are scrambled as by Owen (1995, "Randomly permuted (t,m,s)-nets"): each binary digit is
 * flipped by a coin that belongs to the digits before it, so that every 2^m points are a net still, and each point is
 * uniform. Without one, the first point is the origin.
 *
 * @throws UserError above 256 dimensions, for which there are no direction numbers here.
 */
export function sobol(dimensions: number, seed?: number): (index: number) => number[] {
  if (dimensions > ROWS.length + 1)
    throw new UserError(
      `Sobol: expected at most ${ROWS.length + 1} dimensions, got ${dimensions}; use the Halton sequence`,
      { dimensions },
    );
  const directions = Array.from({ length: dimensions }, (_, d) => directionsOf(d));
  const coins = directions.map((_, d) => (seed === undefined ? null : coinsOf(seed, d)));
  return (index) => {
    const gray = (index ^ (index >>> 1)) >>> 0;
    return directions.map((v, d) => {
      let x = 0;
      for (let k = 0; k < BITS; k++) if ((gray >>> k) & 1) x ^= v[k]!;
      const scramble = coins[d];
      return ((scramble ? scrambled(x, scramble) : x) >>> 0) / 2 ** BITS;
    });
  };
}

/** v_1 … v_32 of a dimension, from 0, as binary fractions in 32 bits (Joe & Kuo 2008, eqs. 3 and 5). */
function directionsOf(dimension: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (dimension === 0) return v.map((_, k) => 2 ** (BITS - 1 - k));
  const [polynomial, initial] = ROWS[dimension - 1]!.split(':') as [string, string];
  const m = initial.split(',').map(Number);
  const degree = m.length;
  for (let k = 0; k < BITS; k++) {
    if (k < degree) v[k] = m[k]! * 2 ** (BITS - 1 - k);
    else {
      let x = v[k - degree]! ^ (v[k - degree]! >>> degree);
      for (let i = 1; i < degree; i++) if ((Number(polynomial) >>> (degree - i)) & 1) x ^= v[k - i]!;
      v[k] = x;
    }
  }
  return v;
}

/** The key of the random bits of each digit. */
function coinsOf(seed: number, dimension: number): Uint32Array {
  const random: Random = randomStream(seed, 'sobol', dimension);
  return Uint32Array.from({ length: BITS }, () => random() * 2 ** 32);
}

function scrambled(x: number, coins: Uint32Array): number {
  let flips = 0;
  for (let digit = 0; digit < BITS; digit++) {
    const before = digit === 0 ? 0 : x >>> (BITS - digit);
    flips |= (mixed(before ^ coins[digit]!) & 1) << (BITS - 1 - digit);
  }
  return x ^ flips;
}

/** A hash of 32 bits whose every output bit depends on every input bit (the finalizer of MurmurHash3, Appleby 2011). */
function mixed(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
