import type { Random } from '../../../random/random-stream.js';
import { type Placement, placeInto } from '../../pixels/placed.js';
import type { Size } from '../image-size.js';
import { between, type Chance, type Range, type Transform } from './augmentation.js';
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
    joint: (picture, random) => placeInto(picture, placement(random, picture, scale)),
    edit: (random, size) => ({ kind: 'place', ...placement(random, size, scale) }),
  };
}

/** A random size, and a random place for it. */
function placement(random: Random, { width, height }: Size, scale: Range): Placement {
  const factor = between(random, scale);
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * factor))) as [number, number];
  const offset = (space: number) => Math.sign(space) * Math.floor(random() * (Math.abs(space) + 1));
  return { width: w, height: h, left: offset(width - w), top: offset(height - h) };
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
