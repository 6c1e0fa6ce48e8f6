import { named } from '../../../base/named.js';
import { randomStream } from '../../../random/random-stream.js';
import { defocusBlur, gaussianBlur, motionBlur, zoomBlur } from './blur.js';
import type { Picture, Severity } from './corruption.js';
import { contrast, elastic, jpeg, pixelate } from './digital.js';
import { gaussianNoise, impulseNoise, shotNoise, speckleNoise } from './noise.js';
import {
  channelShuffle,
  hueShift,
  ink,
  mosaic,
  neon,
  palette,
  posterize,
  solarize,
  textureOverlay,
} from './shift.js';
import { brightness, fog, frost, snow } from './weather.js';

/** All corruptions by name: ImageNet-C's kinds (Hendrycks & Dietterich 2019), then shifts of colour and texture. */
export const corruptions = named('corruption', {
  gaussian_noise: gaussianNoise,
  shot_noise: shotNoise,
  impulse_noise: impulseNoise,
  speckle_noise: speckleNoise,
  gaussian_blur: gaussianBlur,
  defocus_blur: defocusBlur,
  motion_blur: motionBlur,
  zoom_blur: zoomBlur,
  fog,
  frost,
  snow,
  brightness,
  contrast,
  elastic,
  pixelate,
  jpeg,
  hue_shift: hueShift,
  posterize,
  solarize,
  channel_shuffle: channelShuffle,
  texture: textureOverlay,
  palette,
  ink,
  mosaic,
  neon,
});

/**
 * A corrupted copy of a picture: a pure function of picture, name, severity, seed and stem.
 *
 * @example
 * await corrupt({ width, height, image, mask }, 'fog', 3, 42, 'Abyssinian_5');
 */
export async function corrupt(
  picture: Picture,
  name: string,
  severity: Severity,
  seed: number,
  stem: string,
): Promise<Picture> {
  return corruptions.make(name, picture, severity, randomStream(seed, 'corruption', name, severity, stem));
}
