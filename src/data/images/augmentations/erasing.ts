import { MersenneTwister } from '../../../random/mersenne-twister.js';
import { IGNORE_INDEX } from '../../types.js';
import { between, type Chance, type MaskedColours, type Range, type Transform } from './augmentation.js';
import { checkSettings, SHARE } from './check-settings.js';

/** What an erased region has in the mask: its old classes, or 255. */
export type ErasedMask = 'keep' | 'ignore';

/** Options of `randomErasing`. */
export interface RandomErasingOptions extends Chance {
  /** Share of the area that is erased. Default [.02, .33]. */
  readonly scale?: Range;
  /** Width over height of the region. Default [.3, 3.3]. */
  readonly ratio?: Range;
  /** What the region is filled with. Default noise, which the paper found best. */
  readonly fill?: 'noise' | 'black' | 'grey';
  /** Default 'keep': the model learns to guess what is hidden. */
  readonly mask?: ErasedMask;
}

/**
 * Erases a random rectangle (Zhong et al. 2020, "Random erasing data augmentation"). Default p .5.
 *
 * A shape that does not fit is drawn again, up to ten times, as in torchvision.
 */
export function randomErasing(options: RandomErasingOptions = {}): Transform {
  const {
    scale = [0.02, 0.33],
    ratio = [0.3, 3.3],
    fill = 'noise',
    mask: inMask = 'keep',
    p = 0.5,
  } = options;
  checkSettings('randomErasing', { scale: [scale, SHARE], ratio: [ratio, { positive: true }] });
  return {
    name: 'randomErasing',
    p,
    joint: (picture, random) => {
      for (let tries = 0; tries < 10; tries++) {
        const area = between(random, scale) * picture.width * picture.height;
        const aspect = Math.exp(between(random, [Math.log(ratio[0]), Math.log(ratio[1])]));
        const [width, height] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
        if (width > picture.width || height > picture.height) continue;
        const left = Math.floor(random() * (picture.width - width + 1));
        const top = Math.floor(random() * (picture.height - height + 1));
        const noise = MersenneTwister.fromSeed(Math.floor(random() * 2 ** 32)); // many draws: a faster stream
        const next = { noise: () => noise.uint32() >>> 24, black: () => 0, grey: () => 128 }[fill];
        erase(picture, { left, top, width, height }, next, inMask);
        return;
      }
    },
  };
}

/** Erases a rectangle in place. */
export function erase(
  { width: stride, image, mask }: MaskedColours,
  { left, top, width, height }: Readonly<Record<'left' | 'top' | 'width' | 'height', number>>,
  next: () => number,
  inMask: ErasedMask,
): void {
  for (let y = top; y < top + height; y++) {
    const [start, end] = [y * stride + left, y * stride + left + width];
    for (let i = 3 * start; i < 3 * end; i++) image[i] = next();
    if (inMask === 'ignore') mask?.fill(IGNORE_INDEX, start, end);
  }
}
