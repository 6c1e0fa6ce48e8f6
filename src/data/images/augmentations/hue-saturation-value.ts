import { toByte } from '../../pixels/colours.js';
import { around, type Chance, type Transform } from './augmentation.js';
import { checkSettings, SHARE } from './check-settings.js';

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
  checkSettings('hueSaturationValue', {
    hue: [hue, SHARE],
    saturation: [saturation, SHARE],
    value: [value, SHARE],
  });
  return {
    name: 'hueSaturationValue',
    p,
    photometric: ({ image }, random) => {
      const [turn, colour, light] = [around(random, hue), around(random, saturation), around(random, value)];
      for (let i = 0; i < image.length; i += 3) {
        const [r, g, b] = [image[i]!, image[i + 1]!, image[i + 2]!];
        const most = Math.max(r, g, b);
        const range = most - Math.min(r, g, b);
        // A grey pixel has no hue, so that more saturation would make it red.
        const s = range === 0 ? 0 : clamp(range / most + colour);
        const v = 255 * clamp(most / 255 + light);
        const h = 6 * turn + (range === 0 ? 0 : sixths(r, g, b, most, range));
        image[i] = toByte(v - v * s * share(h + 5));
        image[i + 1] = toByte(v - v * s * share(h + 3));
        image[i + 2] = toByte(v - v * s * share(h + 1));
      }
    },
  };
}

/** The hue in sixths of the colour circle, from −1. */
function sixths(r: number, g: number, b: number, most: number, range: number): number {
  if (most === r) return (g - b) / range;
  return most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
}

/** How much of its saturation a channel lacks, by its place on the colour circle, in sixths. */
function share(place: number): number {
  const at = place - 6 * Math.floor(place / 6);
  return Math.max(0, Math.min(at, 4 - at, 1));
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
