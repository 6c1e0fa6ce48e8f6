import { normal, type Random } from './random-stream.js';

/**
 * A draw from the beta distribution, as X / (X + Y) of two gamma draws.
 *
 * @param a above 0
 * @param b above 0
 */
export function beta(random: Random, a: number, b: number): number {
  const [x, y] = [logGamma(random, a), logGamma(random, b)];
  return 1 / (1 + Math.exp(y - x));
}

/** The logarithm of a draw from the gamma distribution (Marsaglia & Tsang 2000), which cannot underflow. */
function logGamma(random: Random, shape: number): number {
  // Below 1: the draw for shape + 1, times a uniform number to the power of 1 / shape.
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
