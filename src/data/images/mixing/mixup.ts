import { beta } from '../../../random/beta.js';
import { channelsOf } from '../../pixels/values.js';
import { checkSettings } from '../augmentations/check-settings.js';
import type { Chance, Mixer } from './mixer.js';

/** Options of a mixer whose share is drawn from a beta distribution. */
export interface BetaMixOptions extends Chance {
  /** Both parameters of the beta distribution that the share is drawn from, above 0. */
  readonly alpha?: number;
}

/**
 * mixup (Zhang et al. 2018, arXiv:1710.09412): the weighted mean of two pictures, with the weight λ ~ Beta(α, α), and
 * of their labels. Default α .2, p .5. For labelled pictures only, since the classes of masks have no mean; see
 * `softLabelTensor`.
 */
export function mixup({ alpha = 0.2, p = 0.5 }: BetaMixOptions = {}): Mixer {
  checkSettings('mixup', { alpha: [alpha, { positive: true }] });
  return {
    name: 'mixup',
    p,
    partners: 1,
    deep: true,
    masks: 'refused',
    mix: ({ image }, [partner], random) => {
      const share = beta(random, alpha, alpha);
      image.forEach((byte, i) => {
        image[i] = Math.round(share * byte + (1 - share) * partner!.image[i]!);
      });
      return [share, 1 - share];
    },
  };
}

/**
 * CutMix (Yun et al. 2019, arXiv:1905.04899): a rectangle of the partner, with its mask, in place of the picture's own.
 *
 * Its area is 1 − λ of the picture with λ ~ Beta(α, α); what of it lies outside is cut off, and the shares are those of
 * the pixels. Default α 1, p .5.
 */
export function cutMix({ alpha = 1, p = 0.5 }: BetaMixOptions = {}): Mixer {
  checkSettings('cutMix', { alpha: [alpha, { positive: true }] });
  return {
    name: 'cutMix',
    p,
    partners: 1,
    deep: true,
    mix: (picture, [partner], random) => {
      const { width, height, image, mask } = picture;
      const channels = channelsOf(picture);
      const side = Math.sqrt(1 - beta(random, alpha, alpha));
      const range = (length: number) => {
        const middle = random() * length;
        const start = Math.max(0, Math.round(middle - (side * length) / 2));
        return [start, Math.min(length, Math.round(middle + (side * length) / 2))] as const;
      };
      const [left, right] = range(width);
      const [top, bottom] = range(height);
      for (let y = top; y < bottom; y++) {
        const [start, end] = [y * width + left, y * width + right];
        image.set(partner!.image.subarray(channels * start, channels * end), channels * start);
        if (partner!.mask) mask?.set(partner!.mask.subarray(start, end), start);
      }
      const share = ((right - left) * (bottom - top)) / (width * height);
      return [1 - share, share];
    },
  };
}
