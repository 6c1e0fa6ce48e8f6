import type { Random } from '../../../random/random-stream.js';
import type { Enhancement } from '../../pixels/edit.js';
import { blend } from '../../pixels/enhanced.js';
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
  return enhanced('randomContrast', 'contrast', limit, p);
}

/** Moves each colour from or to its grey: the bytes of Pillow's `ImageEnhance.Color`. Default p .5. */
export function randomSaturation({ limit = 0.5, p = 0.5 }: EnhanceOptions = {}): Transform {
  return enhanced('randomSaturation', 'saturation', limit, p);
}

/** Sharpens or softens: the bytes of Pillow's `ImageEnhance.Sharpness`. Default limit .9, p .5. */
export function randomSharpness({ limit = 0.9, p = 0.5 }: EnhanceOptions = {}): Transform {
  return enhanced('randomSharpness', 'sharpness', limit, p);
}

function enhanced(name: string, kind: Enhancement, limit: number, p: number): Transform {
  checkLimit(name, limit);
  return recolour(name, p, (random) => ({ kind, factor: drawnFactor(random, limit) }));
}

function checkLimit(name: string, limit: number): void {
  checkSettings(name, { limit: [limit, { least: 0 }] });
}

function drawnFactor(random: Random, limit: number): number {
  return Math.max(0, 1 + around(random, limit));
}

/** Multiplies colours by a factor, in place. */
export function brightness({ image }: Colours, factor: number): void {
  blend(image, factor, new Uint8Array(image.length));
}
