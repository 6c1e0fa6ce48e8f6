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
  return { name: 'autoContrast', p, photometric: autoContrasted };
}

/** Makes all values of each channel equally frequent: Pillow's `ImageOps.equalize`. Default p .2. */
export function equalize({ p = 0.2 }: Chance = {}): Transform {
  return { name: 'equalize', p, photometric: equalized };
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

export function autoContrasted({ image }: Colours): void {
  byChannel(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return undefined;
    const scale = 255 / (high - low);
    return (value) => Math.min(255, Math.max(0, Math.trunc(value * scale - low * scale)));
  });
}

export function equalized({ image }: Colours): void {
  byChannel(image, (counts) => {
    const last = counts.findLast((count) => count > 0) ?? 0;
    const step = Math.floor((counts.reduce((a, b) => a + b, 0) - last) / 255);
    if (step === 0) return undefined;
    let below = Math.floor(step / 2);
    const table = counts.map((count) => {
      const value = Math.min(255, Math.floor(below / step));
      below += count;
      return value;
    });
    return (value) => table[value]!;
  });
}

/** Maps each channel's values by a function of how often each of them occurs; undefined leaves them. */
function byChannel(
  image: Uint8Array,
  mapOf: (counts: readonly number[]) => ((value: number) => number) | undefined,
): void {
  for (let channel = 0; channel < 3; channel++) {
    const counts = Array<number>(256).fill(0);
    for (let i = channel; i < image.length; i += 3) counts[image[i]!]!++;
    const map = mapOf(counts);
    if (!map) continue;
    const table = Uint8Array.from({ length: 256 }, (_, value) => map(value));
    for (let i = channel; i < image.length; i += 3) image[i] = table[image[i]!]!;
  }
}
