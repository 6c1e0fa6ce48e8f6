import type { Random } from '../../../random/random-stream.js';
import { valueNoise } from '../../creatures/texture.js';
import { blur, line } from './blur.js';
import { type Corruption, type Picture, perPixel, pixels, withImage } from './corruption.js';

/** Fog in drifts: the picture fades towards light grey where the fog is dense. */
export const fog = perPixel([0.35, 0.48, 0.6, 0.72, 0.84], (density, random, picture) => {
  const drift = fractal(random, pixels(90, picture));
  return (rgb, x, y) => {
    const t = density * (0.45 + 0.55 * drift(x, y));
    return fade(rgb, 0.85, t);
  };
});

/** Frost on the pane: bright needles, thick towards the rim, where the picture hardly shows. */
export const frost = perPixel([0.35, 0.5, 0.65, 0.8, 0.95], (cover, random, picture) => {
  const ice = fractal(random, pixels(28, picture));
  return (rgb, x, y) => {
    const needle = (1 - Math.abs(2 * ice(x, y) - 1)) ** 3;
    const rim = 2 * Math.max(Math.abs(x / picture.width - 0.5), Math.abs(y / picture.height - 0.5));
    return fade(rgb, 0.9, Math.min(1, cover * (0.35 * rim + needle)));
  };
});

/** Falling snow: streaks in the wind before a paler picture. */
export const snow: Corruption = (picture, severity, random) => {
  const share = [0.005, 0.009, 0.014, 0.02, 0.028][severity - 1]!;
  const pale = [0.1, 0.15, 0.2, 0.27, 0.34][severity - 1]!;
  const flakes = blur(sparks(picture, share, random), line(pixels(9, picture), 0.6 + 1.8 * random()));
  return withImage(picture, (image, out) => {
    for (let i = 0; i < image.length; i++)
      out[i] = image[i]! + pale * (255 - image[i]!) + Math.min(255, 3 * flakes.image[i]!);
  });
};

/** Too much light: the HSV value is raised. */
export const brightness = perPixel([0.1, 0.2, 0.3, 0.4, 0.5], (more) => (rgb) => {
  const value = Math.max(...rgb);
  if (value === 0) return [more, more, more];
  const gain = Math.min(1, value + more) / value;
  return [rgb[0] * gain, rgb[1] * gain, rgb[2] * gain];
});

/** White points, one or two pixels wide, on black. */
function sparks(picture: Picture, share: number, random: Random): Picture {
  return withImage(picture, (_, out) => {
    for (let at = 0; at < out.length / 3; at++) if (random() < share) out.fill(255, at * 3, at * 3 + 6);
  });
}

/** Four octaves of value noise, from 0 to 1. */
function fractal(random: Random, side: number): (x: number, y: number) => number {
  const octaves = [1, 2, 4, 8].map((n) => ({ weight: 8 / (15 * n), noise: valueNoise(random, side / n) }));
  return (x, y) => octaves.reduce((sum, { weight, noise }) => sum + weight * noise(x, y), 0);
}

function fade(rgb: readonly number[], grey: number, t: number): [number, number, number] {
  return [rgb[0]! + t * (grey - rgb[0]!), rgb[1]! + t * (grey - rgb[1]!), rgb[2]! + t * (grey - rgb[2]!)];
}
