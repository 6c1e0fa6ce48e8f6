import { type Colours, toByte } from './colours.js';
import type { ColourEdit } from './edit.js';

/** Turns the hues, and shifts saturation and value of all pixels, in place. */
export function shiftHsv(
  { image }: Colours,
  { turn, saturation, value }: Extract<ColourEdit, { readonly kind: 'hsv' }>,
): void {
  for (let i = 0; i < image.length; i += 3) {
    const [r, g, b] = [image[i]!, image[i + 1]!, image[i + 2]!];
    const most = Math.max(r, g, b);
    const range = most - Math.min(r, g, b);
    // A grey pixel has no hue, so that more saturation would make it red.
    const s = range === 0 ? 0 : clamp(range / most + saturation);
    const v = 255 * clamp(most / 255 + value);
    const h = 6 * turn + (range === 0 ? 0 : sixths(r, g, b, most, range));
    image[i] = toByte(v - v * s * share(h + 5));
    image[i + 1] = toByte(v - v * s * share(h + 3));
    image[i + 2] = toByte(v - v * s * share(h + 1));
  }
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
