import type { Random } from '../../../random/random-stream.js';
import { resizeNearest } from '../../pixels/resize.js';
import { resizeValues } from '../../pixels/resize-channels.js';
import { channelsOf, copied, type Values } from '../../pixels/values.js';
import { between, type Range } from '../augmentations/augmentation.js';
import { checkSettings, SHARE } from '../augmentations/check-settings.js';
import type { Chance, MaskedDeepColours, Mixer } from './mixer.js';

/** Options of `mosaic`. */
export interface MosaicOptions extends Chance {
  /** Where the four pictures meet, as a share of width and height. Default [.3, .7]. */
  readonly centre?: Range;
}

/**
 * Mosaic (Bochkovskiy et al. 2020, arXiv:2004.10934, YOLOv4): four pictures, with their masks, that meet at a random
 * point. Default p .5.
 *
 * Each is made just large enough for its quarter, its sides in proportion, and cut to it at a random place: so no part
 * is empty, and things are seen smaller.
 */
export function mosaic({ centre = [0.3, 0.7], p = 0.5 }: MosaicOptions = {}): Mixer {
  checkSettings('mosaic', { centre: [centre, SHARE] });
  return {
    name: 'mosaic',
    p,
    partners: 3,
    deep: true,
    mix: (picture, partners, random) => {
      const { width, height } = picture;
      const x = Math.round(width * between(random, centre));
      const y = Math.round(height * between(random, centre));
      const first = Math.floor(random() * 4);
      const own: MaskedDeepColours = { ...picture, image: copied(picture.image) };
      const four = [picture.mask ? { ...own, mask: new Uint8Array(picture.mask) } : own, ...partners];
      return four.map((one, i) => {
        const quarter = (first + i) % 4;
        const [left, right] = quarter % 2 === 0 ? [0, x] : [x, width];
        const [top, bottom] = quarter < 2 ? [0, y] : [y, height];
        place(picture, one, { left, top, width: right - left, height: bottom - top }, random);
        return ((right - left) * (bottom - top)) / (width * height);
      });
    },
  };
}

/** Fills a rectangle with a picture that is resized to cover it. */
function place(
  to: MaskedDeepColours,
  from: MaskedDeepColours,
  { left, top, width, height }: Readonly<Record<'left' | 'top' | 'width' | 'height', number>>,
  random: Random,
): void {
  const scale = Math.max(width / from.width, height / from.height);
  const w = Math.max(width, Math.round(from.width * scale));
  const h = Math.max(height, Math.round(from.height * scale));
  const [x, y] = [Math.floor(random() * (w - width + 1)), Math.floor(random() * (h - height + 1))];
  if (width === 0 || height === 0) return;
  const copy = (data: Values, target: Values, channels: number) => {
    for (let row = 0; row < height; row++) {
      const at = ((y + row) * w + x) * channels;
      const place = ((top + row) * to.width + left) * channels;
      target.set(data.subarray(at, at + width * channels), place);
    }
  };
  copy(resizeValues(from, { width: w, height: h }), to.image, channelsOf(from));
  if (to.mask && from.mask) copy(resizeNearest({ ...from, data: from.mask }, w, h), to.mask, 1);
}
