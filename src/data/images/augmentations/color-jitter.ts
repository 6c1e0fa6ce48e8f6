import { LUMA } from '../../pixels/colours.js';
import { around, type Chance, recolour, type Transform } from './augmentation.js';

/** Options of `colorJitter`. */
export interface ColorJitterOptions extends Chance {
  /** Factors from 1 − x to 1 + x. Default .2 each. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** Largest turn of the hues either way, as a share of the colour circle. Default 0. */
  readonly hue?: number;
}

/**
 * Changes brightness, contrast, saturation and hue, in this order, as one linear map of the colours; bytes are clamped
 * once, at the end. Default p .8.
 *
 * Brightness multiplies, contrast moves from the picture's mean luma, saturation from the pixel's luma, and hue turns
 * RGB about the grey axis (Rodrigues 1840), which is an approximation of a turn in HSV.
 */
export function colorJitter(options: ColorJitterOptions = {}): Transform {
  const { brightness = 0.2, contrast = 0.2, saturation = 0.2, hue = 0, p = 0.8 } = options;
  return recolour('colorJitter', p, (random) => {
    const [b, c, s] = [brightness, contrast, saturation].map((x) => Math.max(0, 1 + around(random, x)));
    const turn = turnHues(2 * Math.PI * around(random, hue));
    // Saturation, then hue, on v·b·c; both leave grey alone, so what contrast adds passes through them.
    const map = turn.map((row) => row.map((weight, k) => b! * c! * (s! * weight + (1 - s!) * LUMA[k]!)));
    return { kind: 'map', matrix: map.flat(), lift: (1 - c!) * b! };
  });
}

/** The rotation of RGB about the grey axis; each row sums to one. */
function turnHues(angle: number): number[][] {
  const grey = (1 - Math.cos(angle)) / 3;
  const same = Math.cos(angle) + grey;
  const [less, more] = [grey - Math.sin(angle) / Math.sqrt(3), grey + Math.sin(angle) / Math.sqrt(3)];
  return [
    [same, less, more],
    [more, same, less],
    [less, more, same],
  ];
}
