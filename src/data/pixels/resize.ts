import type { Pixels } from './values.js';

/** Fixed-point bits of the filter's weights, those of PIL for bytes. */
const PRECISION = 22;

/**
 * Resizes RGB bytes with PIL's bilinear filter: the same bytes as `Image.resize(size, Image.BILINEAR)`.
 *
 * A triangle filter, widened by the scale when it shrinks (so it antialiases), rows first, then columns, each pass
 * rounded to bytes with weights in fixed point. (Pillow 13 takes the columns of tall images first, which moves some
 * bytes by one; this is the order of Pillow 3.3 to 12.) The result never shares the input's memory.
 *
 * @example
 * const grey = { width: 2, height: 1, data: Uint8Array.of(0, 0, 0, 90, 90, 90) };
 * [...resizeBilinear(grey, 1, 1).data]; // => [45, 45, 45]
 */
export function resizeBilinear({ width, height, data }: Pixels, toWidth: number, toHeight: number): Pixels {
  let pixels = data;
  if (toWidth !== width) {
    const taps = triangle(width, toWidth);
    const out = new Uint8Array(toWidth * height * 3);
    for (let y = 0; y < height; y++) {
      const row = y * width * 3;
      for (let x = 0, at = y * toWidth * 3; x < toWidth; x++, at += 3) {
        let [r, g, b] = [HALF, HALF, HALF];
        for (
          let tap = taps.start[x]!, end = taps.start[x + 1]!, from = row + taps.first[x]! * 3;
          tap < end;
          tap++, from += 3
        ) {
          const weight = taps.weights[tap]!;
          r += weight * pixels[from]!;
          g += weight * pixels[from + 1]!;
          b += weight * pixels[from + 2]!;
        }
        out[at] = r >> PRECISION;
        out[at + 1] = g >> PRECISION;
        out[at + 2] = b >> PRECISION;
      }
    }
    pixels = out;
  }
  if (toHeight !== height) {
    const taps = triangle(height, toHeight);
    const stride = toWidth * 3;
    const out = new Uint8Array(stride * toHeight);
    const sums = new Int32Array(stride);
    for (let y = 0; y < toHeight; y++) {
      sums.fill(HALF);
      for (
        let tap = taps.start[y]!, end = taps.start[y + 1]!, from = taps.first[y]! * stride;
        tap < end;
        tap++, from += stride
      ) {
        const weight = taps.weights[tap]!;
        for (let i = 0; i < stride; i++) sums[i]! += weight * pixels[from + i]!;
      }
      for (let i = 0, at = y * stride; i < stride; i++) out[at + i] = sums[i]! >> PRECISION;
    }
    pixels = out;
  }
  return { width: toWidth, height: toHeight, data: pixels === data ? new Uint8Array(data) : pixels };
}

/** Resizes ids to the nearest: the same ids as `Image.resize(size, Image.NEAREST)`. */
export function resizeNearest(
  { width, height, data }: { width: number; height: number; data: Uint8Array },
  toWidth: number,
  toHeight: number,
): Uint8Array {
  const columns = nearest(width, toWidth);
  const rows = nearest(height, toHeight);
  const out = new Uint8Array(toWidth * toHeight);
  for (let y = 0, at = 0; y < toHeight; y++) {
    const row = rows[y]! * width;
    for (let x = 0; x < toWidth; x++) out[at++] = data[row + columns[x]!]!;
  }
  return out;
}

/** The input place of each output place. PIL adds up the step, so its rounding errors are part of the result. */
function nearest(from: number, to: number): Int32Array {
  const step = from / to;
  const places = new Int32Array(to);
  for (let i = 0, place = step * 0.5; i < to; i++, place += step)
    places[i] = Math.min(from - 1, Math.trunc(place));
  return places;
}

const HALF = 1 << (PRECISION - 1);

/** For each output place its first input place and its weights, in fixed point, which lie at start[i] … start[i + 1]. */
export interface Taps {
  readonly first: Int32Array;
  readonly start: Int32Array;
  readonly weights: Int32Array;
}

/** The taps of a triangle filter. */
export function triangle(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const shrink = 1 / support; // a factor and no divisor: as PIL rounds
  const first = new Int32Array(to);
  const start = new Int32Array(to + 1);
  const weights: number[] = [];
  for (let i = 0; i < to; i++) {
    const center = (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    const raw = Array.from({ length: high - low }, (_, k) =>
      Math.max(0, 1 - Math.abs((k + low - center + 0.5) * shrink)),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    first[i] = low;
    for (const weight of raw) weights.push(Math.trunc((weight / sum) * 2 ** PRECISION + 0.5));
    start[i + 1] = weights.length;
  }
  return { first, start, weights: Int32Array.from(weights) };
}
