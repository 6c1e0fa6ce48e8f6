import { MersenneTwister } from '../../../random/mersenne-twister.js';
import { channelsOf } from '../../pixels/values.js';
import { IGNORE_INDEX } from '../../types.js';
import {
  between,
  type Chance,
  type DeepColours,
  type MaskedDeepColours,
  type Range,
  type Transform,
} from './augmentation.js';
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
    deep: true,
    joint: (picture: MaskedDeepColours, random) => {
      for (let tries = 0; tries < 10; tries++) {
        const area = between(random, scale) * picture.width * picture.height;
        const aspect = Math.exp(between(random, [Math.log(ratio[0]), Math.log(ratio[1])]));
        const [width, height] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
        if (width > picture.width || height > picture.height) continue;
        const left = Math.floor(random() * (picture.width - width + 1));
        const top = Math.floor(random() * (picture.height - height + 1));
        const noise = MersenneTwister.fromSeed(Math.floor(random() * 2 ** 32)); // many draws: a faster stream
        const shift = picture.image instanceof Uint8Array ? 24 : 16;
        const next = {
          noise: () => noise.uint32() >>> shift,
          black: () => 0,
          grey: () => greyOf(picture),
        }[fill];
        erase(picture, { left, top, width, height }, next, inMask);
        return;
      }
    },
  };
}

/** The grey of a byte of 128, as 8 or as 16 bits. */
export function greyOf({ image }: DeepColours): number {
  return image instanceof Uint8Array ? 128 : 128 * 257;
}

/** Erases a rectangle in place. */
export function erase(
  picture: MaskedDeepColours,
  { left, top, width, height }: Readonly<Record<'left' | 'top' | 'width' | 'height', number>>,
  next: () => number,
  inMask: ErasedMask,
): void {
  const { width: stride, image, mask } = picture;
  const channels = channelsOf(picture);
  for (let y = top; y < top + height; y++) {
    const [start, end] = [y * stride + left, y * stride + left + width];
    for (let i = channels * start; i < channels * end; i++) image[i] = next();
    if (inMask === 'ignore') mask?.fill(IGNORE_INDEX, start, end);
  }
}
