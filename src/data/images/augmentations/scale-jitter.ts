import { channelsOf, type Values } from '../../pixels/values.js';
import { IGNORE_INDEX } from '../../types.js';
import { resizeNearest } from '../resize.js';
import { resizeValues } from '../resize-channels.js';
import { between, type Chance, type MaskedDeepColours, type Range, type Transform } from './augmentation.js';
import { checkSettings, SHARE } from './check-settings.js';

/** Options of `scaleJitter`. */
export interface ScaleJitterOptions extends Chance {
  /** Factors of enlargement. Default [.1, 2]. */
  readonly scale?: Range;
}

/**
 * Large-scale jitter (Ghiasi et al. 2021, "Simple copy-paste", section 3): resizes the picture by a random factor,
 * then cuts a random window of the old size from it, or puts it at a random place on black, where the mask is 255.
 * Default p 1.
 *
 * The image is resized as PIL's bilinear filter does, which antialiases; the mask to the nearest.
 */
export function scaleJitter({ scale = [0.1, 2], p = 1 }: ScaleJitterOptions = {}): Transform {
  checkSettings('scaleJitter', { scale: [scale, { positive: true, most: 16 }] });
  return {
    name: 'scaleJitter',
    p,
    deep: true,
    joint: (picture, random) => {
      const { width, height } = picture;
      const factor = between(random, scale);
      const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * factor))) as [
        number,
        number,
      ];
      const offset = (space: number) => Math.sign(space) * Math.floor(random() * (Math.abs(space) + 1));
      placeResized(picture, { width: w, height: h, left: offset(width - w), top: offset(height - h) });
    },
  };
}

/** Where a resized picture lies on the old one: its size, and its corner, which may be outside. */
export interface Placement {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
}

/** Resizes a picture and puts it at a place, in place; black and 255 elsewhere. */
function placeResized(picture: MaskedDeepColours, placement: Placement): void {
  const { width, height, image, mask } = picture;
  const large = resizeValues(picture, placement);
  image.fill(0);
  copyRows(large, image, picture, placement, channelsOf(picture));
  if (!mask) return;
  const ids = resizeNearest({ width, height, data: mask }, placement.width, placement.height);
  mask.fill(IGNORE_INDEX);
  copyRows(ids, mask, picture, placement, 1);
}

/** Copies what of a placed picture lies inside `to`. */
function copyRows(
  from: Values,
  to: Values,
  { width, height }: { readonly width: number; readonly height: number },
  place: Placement,
  channels: number,
): void {
  const [first, end] = [Math.max(0, place.left), Math.min(width, place.left + place.width)];
  for (let y = Math.max(0, place.top); y < Math.min(height, place.top + place.height); y++) {
    const row = ((y - place.top) * place.width + first - place.left) * channels;
    to.set(from.subarray(row, row + (end - first) * channels), (y * width + first) * channels);
  }
}

/** Options of `randomCrop`. */
export interface RandomCropOptions extends Chance {
  /** Black pixels around the picture, as a share of its width and height. Default .1. */
  readonly padding?: number;
}

/**
 * A window of the picture's own size at a random place of the padded picture: a move by whole pixels; the mask's
 * padding is 255. Default p 1.
 */
export function randomCrop({ padding = 0.1, p = 1 }: RandomCropOptions = {}): Transform {
  checkSettings('randomCrop', { padding: [padding, SHARE] });
  return {
    name: 'randomCrop',
    p,
    geometric: (random, aspect, width) => {
      const move = (side: number) => {
        const most = Math.floor(padding * side);
        return (Math.floor(random() * (2 * most + 1)) - most) / side;
      };
      return [1, 0, move(width), 0, 1, move(Math.round(width / aspect))];
    },
  };
}
