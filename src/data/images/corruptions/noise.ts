import { normal, type Random } from '../../../random/random-stream.js';
import { perPixel, perValue } from './corruption.js';

/** Thermal noise: x + N(0, σ). */
export const gaussianNoise = perValue(
  [0.06, 0.1, 0.15, 0.21, 0.3],
  (x, sigma, random) => x + sigma * normal(random),
);

/** Photon noise: Poisson(λx) / λ, few photons at high severity. */
export const shotNoise = perValue(
  [60, 25, 12, 6, 3],
  (x, photons, random) => poisson(x * photons, random) / photons,
);

/** Noise that grows with the signal: x + x·N(0, σ). */
export const speckleNoise = perValue(
  [0.15, 0.22, 0.32, 0.45, 0.6],
  (x, sigma, random) => x + x * sigma * normal(random),
);

/** Salt and pepper: a share of the pixels turns black or white. */
export const impulseNoise = perPixel([0.02, 0.05, 0.09, 0.16, 0.26], (share, random) => (rgb) => {
  if (random() >= share) return rgb;
  const value = random() < 0.5 ? 0 : 1;
  return [value, value, value];
});

/** A draw from the Poisson distribution (Knuth 1969: as many factors as keep the product above e^−mean). */
function poisson(mean: number, random: Random): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}
