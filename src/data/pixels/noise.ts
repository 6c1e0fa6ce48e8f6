import { MersenneTwister } from '../../random/mersenne-twister.js';
import { toByte } from './colours.js';

/** Adds normal noise of a deviation to bytes, in place; both halves of Box & Muller (1958) of a twister's draws. */
export function addNoise(image: Uint8Array, deviation: number, seed: number): void {
  const twister = MersenneTwister.fromSeed(seed);
  for (let i = 0; i < image.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log((twister.uint32() + 1) / 2 ** 32));
    const angle = (2 * Math.PI * twister.uint32()) / 2 ** 32;
    image[i] = toByte(image[i]! + radius * Math.cos(angle));
    if (i + 1 < image.length) image[i + 1] = toByte(image[i + 1]! + radius * Math.sin(angle));
  }
}
