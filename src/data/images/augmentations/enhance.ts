import type { Random } from '../../../random/random-stream.js';
import { grey } from '../../pixels/colours.js';
import { around, type Chance, type Colours, recolour, type Transform, tableOf } from './augmentation.js';
import { checkSettings } from './check-settings.js';

/** Options of a transform that enhances by a random factor. */
export interface EnhanceOptions extends Chance {
  /** Factors from 1 − limit to 1 + limit. Default .5. */
  readonly limit?: number;
}

/** Multiplies all colours by a random factor: the bytes of Pillow's `ImageEnhance.Brightness`. Default p .5. */
export function randomBrightness({ limit = 0.5, p = 0.5 }: EnhanceOptions = {}): Transform {
  checkLimit('randomBrightness', limit);
  return recolour('randomBrightness', p, (random) => {
    const factor = drawnFactor(random, limit);
    return tableOf((colours) => brightness(colours, factor));
  });
}

/** Moves all colours from or to their mean grey: the bytes of Pillow's `ImageEnhance.Contrast`. Default p .5. */
export function randomContrast({ limit = 0.5, p = 0.5 }: EnhanceOptions = {}): Transform {
  return enhanced('randomContrast', contrast, limit, p);
}

/** Moves each colour from or to its grey: the bytes of Pillow's `ImageEnhance.Color`. Default p .5. */
export function randomSaturation({ limit = 0.5, p = 0.5 }: EnhanceOptions = {}): Transform {
  return enhanced('randomSaturation', saturation, limit, p);
}

/** Sharpens or softens: the bytes of Pillow's `ImageEnhance.Sharpness`. Default limit .9, p .5. */
export function randomSharpness({ limit = 0.9, p = 0.5 }: EnhanceOptions = {}): Transform {
  return enhanced('randomSharpness', sharpness, limit, p);
}

/** Changes colours in place: a factor of 1 leaves them as they are, one of 0 removes what the name says. */
export type Enhancement = (colours: Colours, factor: number) => void;

function enhanced(name: string, change: Enhancement, limit: number, p: number): Transform {
  checkLimit(name, limit);
  return { name, p, photometric: (colours, random) => change(colours, drawnFactor(random, limit)) };
}

function checkLimit(name: string, limit: number): void {
  checkSettings(name, { limit: [limit, { least: 0 }] });
}

function drawnFactor(random: Random, limit: number): number {
  return Math.max(0, 1 + around(random, limit));
}

export const brightness: Enhancement = ({ image }, factor) => {
  blend(image, factor, new Uint8Array(image.length));
};

export const contrast: Enhancement = ({ image }, factor) => {
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += grey(image, i);
  const mean = Math.trunc(sum / (image.length / 3) + 0.5);
  blend(image, factor, new Uint8Array(image.length).fill(mean));
};

export const saturation: Enhancement = ({ image }, factor) => {
  const greys = new Uint8Array(image.length);
  for (let i = 0; i < greys.length; i += 3) greys[i] = greys[i + 1] = greys[i + 2] = grey(image, i);
  blend(image, factor, greys);
};

export const sharpness: Enhancement = (colours, factor) => {
  blend(colours.image, factor, smoothed(colours));
};

/**
 * base + factor·(image − base) in place, in the float32 and with the truncation of Pillow's `Image.blend`.
 *
 * @param base the picture that a factor of 0 leaves
 */
function blend(image: Uint8Array, factor: number, base: Uint8Array): void {
  if (factor === 1) return;
  const alpha = Math.fround(factor);
  for (let i = 0; i < image.length; i++) {
    const from = base[i]!;
    const value = Math.fround(from + Math.fround(alpha * (image[i]! - from)));
    image[i] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
  }
}

/** Pillow's `ImageFilter.SMOOTH`: the mean of 3 × 3 pixels, the middle one five times; borders stay. */
function smoothed({ width, height, image }: Colours): Uint8Array {
  const f = Math.fround;
  const [side, middle] = [f(1 / 13), f(5 / 13)];
  const out = new Uint8Array(image);
  const stride = 3 * width;
  // Each pixel's share in its neighbours' means, as Pillow rounds it.
  const shares = Float32Array.from({ length: 256 }, (_, byte) => byte * side);
  const row = (at: number) => f(f(shares[image[at - 3]!]! + shares[image[at]!]!) + shares[image[at + 3]!]!);
  for (let y = 1; y < height - 1; y++)
    for (let at = y * stride + 3; at < (y + 1) * stride - 3; at++) {
      const inner = f(f(shares[image[at - 3]!]! + f(image[at]! * middle)) + shares[image[at + 3]!]!);
      const sum = f(f(f(0.5 + row(at + stride)) + inner) + row(at - stride));
      out[at] = Math.min(255, sum);
    }
  return out;
}
