import { IGNORE_INDEX } from '../types.js';
import { channelsOf, type Values, valuesLike } from './values.js';

/** x' = ax + by + c, y' = dx + ey + f, as [a, b, c, d, e, f]. */
export type Affine = readonly [number, number, number, number, number, number];

export const IDENTITY: Affine = [1, 0, 0, 0, 1, 0];

/** First `inner`, then `outer`. */
export function compose(outer: Affine, inner: Affine): Affine {
  const [a, b, c, d, e, f] = outer;
  const [g, h, i, j, k, l] = inner;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

/**
 * Moves an image, and its mask if it has one, by one map from output to input coordinates, in units of width and
 * height with the centre at 0: the image bilinear, black outside; the mask to the nearest, 255 outside.
 */
export function warp<V extends Values>(
  { width, height, image, mask }: Picture<V> & { readonly mask?: Uint8Array },
  map: Affine,
): { image: V; mask?: Uint8Array } {
  const inside = inPixels(map, width, height);
  const result = warpImage({ width, height, image }, inside);
  return { image: result, ...(mask && { mask: warpMask({ width, height, mask }, inside) }) };
}

interface Picture<V extends Values> {
  readonly width: number;
  readonly height: number;
  readonly image: V;
}

function warpMask(
  { width, height, mask }: { readonly width: number; readonly height: number; readonly mask: Uint8Array },
  [a, b, c, d, e, f]: Affine,
): Uint8Array {
  const classes = new Uint8Array(mask.length).fill(IGNORE_INDEX);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const fromX = a * x + b * y + c;
      const fromY = d * x + e * y + f;
      if (!(fromX > -1 && fromX < width && fromY > -1 && fromY < height)) continue;
      const nearX = Math.round(fromX);
      const nearY = Math.round(fromY);
      if (nearX >= 0 && nearX < width && nearY >= 0 && nearY < height)
        classes[at] = mask[nearY * width + nearX]!;
    }
  return classes;
}

function warpImage<V extends Values>({ width, height, image }: Picture<V>, [a, b, c, d, e, f]: Affine): V {
  const out = valuesLike(image);
  const channels = channelsOf({ width, height, image });
  const rowStride = width * channels;
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at++) {
      const fromX = a * x + b * y + c;
      const fromY = d * x + e * y + f;
      if (!(fromX > -1 && fromX < width && fromY > -1 && fromY < height)) continue;
      const left = Math.floor(fromX);
      const top = Math.floor(fromY);
      const right = fromX - left;
      const below = fromY - top;
      // The weights of the four pixels around, 0 for those outside, whose place is then of no account.
      const inLeft = left >= 0 ? 1 - right : 0;
      const inRight = left + 1 < width ? right : 0;
      const inTop = top >= 0 ? 1 - below : 0;
      const inBelow = top + 1 < height ? below : 0;
      const topLeft = (top * width + left) * channels;
      for (let k = 0; k < channels; k++) {
        const from = topLeft + k;
        let sum = 0.5;
        if (inTop > 0) {
          if (inLeft > 0) sum += inTop * inLeft * image[from]!;
          if (inRight > 0) sum += inTop * inRight * image[from + channels]!;
        }
        if (inBelow > 0) {
          if (inLeft > 0) sum += inBelow * inLeft * image[from + rowStride]!;
          if (inRight > 0) sum += inBelow * inRight * image[from + rowStride + channels]!;
        }
        out[at * channels + k] = sum;
      }
    }
  return out;
}

/** The same map between pixel indices, whose centres are at half a pixel. */
export function inPixels([a, b, c, d, e, f]: Affine, width: number, height: number): Affine {
  const toUnits: Affine = [1 / width, 0, 0.5 / width - 0.5, 0, 1 / height, 0.5 / height - 0.5];
  const toPixels: Affine = [width, 0, width / 2 - 0.5, 0, height, height / 2 - 0.5];
  return compose(toPixels, compose([a, b, c, d, e, f], toUnits));
}
