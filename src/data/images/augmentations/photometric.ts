import { loadSharp } from '../../../base/sharp.js';
import type { Random } from '../../../random/random-stream.js';
import type { ColourEdit } from '../../pixels/edit.js';
import {
  between,
  type Chance,
  type Colours,
  type MaskedDeepColours,
  type Range,
  recolour,
  type Transform,
} from './augmentation.js';
import { type ErasedMask, erase, greyOf } from './erasing.js';

/** Raises pixels scaled to [0, 1] to a power. Default [.8, 1.25], p .5. */
export function randomGamma({
  gamma = [0.8, 1.25],
  p = 0.5,
}: Chance & { readonly gamma?: Range } = {}): Transform {
  return recolour('randomGamma', p, (random) => {
    const power = between(random, gamma);
    const table = Uint8Array.from({ length: 256 }, (_, byte) => Math.round(255 * (byte / 255) ** power));
    return { kind: 'table', table };
  });
}

/** Replaces colours by their luma. Default p .1. */
export function toGray({ p = 0.1 }: Chance = {}): Transform {
  return recolour('toGray', p, () => ({ kind: 'grey' }));
}

/** Blurs by a Gaussian with a deviation, in pixels, from `sigma`. Default [.1, 2], p .3. */
export function gaussianBlur({
  sigma = [0.1, 2],
  p = 0.3,
}: Chance & { readonly sigma?: Range } = {}): Transform {
  return recolour('gaussianBlur', p, (random) => ({
    kind: 'blur',
    kernel: gaussian(between(random, sigma)),
  }));
}

/** Adds normal noise with a standard deviation of up to `limit` grey levels. Default 10, p .5. */
export function gaussNoise({ limit = 10, p = 0.5 }: Chance & { readonly limit?: number } = {}): Transform {
  return recolour('gaussNoise', p, (random) => ({
    kind: 'noise',
    deviation: limit * random(),
    seed: Math.floor(random() * 2 ** 32),
  }));
}

/** Compresses as a JPEG of a quality, 1 to 100, from `quality`. Default [40, 90], p .3. */
export function imageCompression({
  quality = [40, 90],
  p = 0.3,
}: Chance & { readonly quality?: Range } = {}): Transform {
  return {
    name: 'imageCompression',
    p,
    photometric: async ({ width, height, image }, random) => {
      const sharp = loadSharp();
      const raw = { width, height, channels: 3 as const };
      const file = await sharp(image, { raw })
        .jpeg({ quality: Math.round(between(random, quality)) })
        .toBuffer();
      image.set(await sharp(file).raw().toBuffer());
    },
  };
}

/** Options of `coarseDropout`. */
export interface CoarseDropoutOptions extends Chance {
  /** Largest number of squares. Default 4. */
  readonly holes?: number;
  /** Largest side, as a share of the shorter side of the picture. Default .2. */
  readonly size?: number;
  /** What the squares have in the mask: their classes, or 255. Default 'keep'. */
  readonly mask?: ErasedMask;
}

/** Paints grey squares (DeVries & Taylor 2017, "Cutout"). Default p .5. */
export function coarseDropout(options: CoarseDropoutOptions = {}): Transform {
  const { holes = 4, size = 0.2, mask: inMask = 'keep', p = 0.5 } = options;
  const squares = (random: Random, { width, height }: Omit<Colours, 'image'>) =>
    Array.from({ length: 1 + Math.floor(random() * holes) }, () => {
      const side = Math.ceil(Math.min(width, height) * size * random());
      const left = Math.floor(random() * (width - side + 1));
      const top = Math.floor(random() * (height - side + 1));
      return [left, top, side] as const;
    });
  const paint = (picture: MaskedDeepColours, random: Random) => {
    for (const [left, top, side] of squares(random, picture))
      erase(picture, { left, top, width: side, height: side }, () => greyOf(picture), inMask);
  };
  const name = 'coarseDropout';
  if (inMask === 'ignore') return { name, p, deep: true, joint: paint };
  const edit = (random: Random, picture: Omit<Colours, 'image'>): ColourEdit => ({
    kind: 'squares',
    value: 128,
    squares: squares(random, picture),
  });
  return { name, p, deep: true, photometric: paint, edit };
}

/** Half a Gaussian kernel, from its centre outwards; the whole sums to one. */
function gaussian(sigma: number): Float32Array {
  const half = Array.from({ length: Math.ceil(3 * sigma) + 1 }, (_, d) =>
    Math.exp((-d * d) / (2 * sigma * sigma)),
  );
  const sum = 2 * half.reduce((a, b) => a + b, 0) - 1;
  return Float32Array.from(half, (weight) => weight / sum);
}
