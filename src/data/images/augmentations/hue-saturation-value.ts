import { toByte } from '../../pixels/colours.js';
import { around, type Chance, type Transform } from './augmentation.js';

/** Options of `hueSaturationValue`. */
export interface HueSaturationValueOptions extends Chance {
  /** Largest turn of the hues either way, as a share of the colour circle. Default .05. */
  readonly hue?: number;
  /** Largest shift of the saturation, which is from 0 to 1, either way. Default .12. */
  readonly saturation?: number;
  /** Largest shift of the value, which is from 0 to 1, either way. Default .08. */
  readonly value?: number;
}

/**
 * Shifts hue, saturation and value of all pixels (HSV; Smith 1978), each by one draw a picture. Default p .5. With all
 * limits 0 nothing changes.
 */
export function hueSaturationValue(options: HueSaturationValueOptions = {}): Transform {
  const { hue = 0.05, saturation = 0.12, value = 0.08, p = 0.5 } = options;
  return {
    name: 'hueSaturationValue',
    p,
    photometric: ({ image }, random) => {
      const [turn, colour, light] = [around(random, hue), around(random, saturation), around(random, value)];
      for (let i = 0; i < image.length; i += 3) {
        const [h, s, v] = toHsv(image[i]! / 255, image[i + 1]! / 255, image[i + 2]! / 255);
        // A grey pixel has no hue, so that more saturation would make it red.
        const [newS, newV] = [s === 0 ? 0 : clamp(s + colour), clamp(v + light)];
        for (let k = 0; k < 3; k++) {
          const place = ([5, 3, 1][k]! + 6 * (((h + turn) % 1) + 1)) % 6;
          image[i + k] = toByte(255 * (newV - newV * newS * Math.max(0, Math.min(place, 4 - place, 1))));
        }
      }
    },
  };
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Hue, saturation and value of a colour, each from 0 to 1. */
function toHsv(r: number, g: number, b: number): readonly [number, number, number] {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  if (range === 0) return [0, 0, most];
  const sixths = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
  return [(sixths / 6 + 1) % 1, range / most, most];
}
