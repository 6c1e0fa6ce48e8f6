import { PALETTE } from '../../base/palette.js';
import { IGNORE_INDEX } from '../../data/types.js';
import type { MaskFormat } from './mask-format.js';
import { declaredIds } from './mask-ids.js';

/**
 * The step between the hues of two classes, as a share of the colour circle: the golden ratio, so that no hue
 * repeats.
 */
const TURN = (3 - Math.sqrt(5)) / 2;

/** Alternating saturation and lightness, so that neighbouring classes differ in more than hue. */
const TONES = [
  [0.75, 0.45],
  [0.55, 0.7],
  [0.9, 0.3],
  [0.35, 0.55],
] as const;

/**
 * The colour of a class: the palette's for the first eight, then hues in steps of the golden ratio. No two of the classes
 * 0 to 254 have one colour.
 *
 * @example
 * classColour(0); // => '#0072B2'
 * classColour(8) === classColour(0); // => false
 */
export function classColour(index: number): string {
  const colour = PALETTE[index];
  if (colour !== undefined) return colour;
  const [saturation, lightness] = TONES[index % TONES.length]!;
  const hue = (index * TURN) % 1;
  const spread = saturation * Math.min(lightness, 1 - lightness);
  // HSL to RGB (Smith 1978): f(0), f(8), f(4).
  const channel = (n: number) => {
    const place = (n + 12 * hue) % 12;
    const value = lightness - spread * Math.max(-1, Math.min(place - 3, 9 - place, 1));
    return Math.round(255 * value)
      .toString(16)
      .padStart(2, '0');
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/**
 * The colours of the classes by a data set's own palette, as `#rrggbb` in the order of the classes: of the colours that mean
 * a class the first one. Undefined where masks have no palette: pictures then use `classColour`.
 *
 * @example
 * const palette = parsePalette('128 64 128 road\n0 0 192 kerb', 'mine.txt');
 * classColours({ ids: [0, 1], palette }); // => ['#804080', '#0000c0']
 */
export function classColours({ ids = [], palette }: MaskFormat): readonly string[] | undefined {
  if (!palette) return undefined;
  const colours: string[] = [];
  for (const [id, k] of declaredIds(ids))
    if (k !== IGNORE_INDEX) colours[k] ??= palette[id]?.colours[0] ?? classColour(k);
  return colours;
}
