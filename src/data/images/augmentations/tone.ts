import {
  between,
  type Chance,
  type Colours,
  type Range,
  recolour,
  type Transform,
  tableOf,
} from './augmentation.js';
import { checkSettings } from './check-settings.js';

/** Keeps only the highest bits of each colour, from `bits`: Pillow's `ImageOps.posterize`. Default [4, 7], p .2. */
export function posterize({ bits = [4, 7], p = 0.2 }: Chance & { readonly bits?: Range } = {}): Transform {
  checkSettings('posterize', { bits: [bits, { least: 0, most: 8, whole: true }] });
  return recolour('posterize', p, (random) => {
    const kept = Math.round(between(random, bits));
    return tableOf((colours) => posterized(colours, kept));
  });
}

/** Inverts the colours from a random threshold up, out of `threshold`: Pillow's `ImageOps.solarize`. Default [128, 256], p .2. */
export function solarize({
  threshold = [128, 256],
  p = 0.2,
}: Chance & { readonly threshold?: Range } = {}): Transform {
  checkSettings('solarize', { threshold: [threshold, { least: 0, most: 256 }] });
  return recolour('solarize', p, (random) => {
    const from = between(random, threshold);
    return tableOf((colours) => solarized(colours, from));
  });
}

/** Inverts all colours: Pillow's `ImageOps.invert`. Default p .1. */
export function invert({ p = 0.1 }: Chance = {}): Transform {
  return recolour('invert', p, () => tableOf((colours) => solarized(colours, 0)));
}

/** Spreads each channel over all of 0 … 255: Pillow's `ImageOps.autocontrast`. Default p .2. */
export function autoContrast({ p = 0.2 }: Chance = {}): Transform {
  return recolour('autoContrast', p, () => ({ kind: 'autocontrast' }));
}

/** Makes all values of each channel equally frequent: Pillow's `ImageOps.equalize`. Default p .2. */
export function equalize({ p = 0.2 }: Chance = {}): Transform {
  return recolour('equalize', p, () => ({ kind: 'equalize' }));
}

/** Keeps the highest `bits` of each byte, 0 to 8, in place. */
export function posterized({ image }: Colours, bits: number): void {
  const kept = 256 - 2 ** (8 - bits);
  for (let i = 0; i < image.length; i++) image[i]! &= kept;
}

/** Inverts bytes from `threshold` up, in place. */
export function solarized({ image }: Colours, threshold: number): void {
  for (let i = 0; i < image.length; i++) if (image[i]! >= threshold) image[i] = 255 - image[i]!;
}
