import { type Colours, grey } from './colours.js';

/** Moves all colours from or to their mean grey, in place: Pillow's `ImageEnhance.Contrast`. */
export function contrast({ image }: Colours, factor: number): void {
  let sum = 0;
  for (let i = 0; i < image.length; i += 3) sum += grey(image, i);
  const mean = Math.trunc(sum / (image.length / 3) + 0.5);
  blend(image, factor, new Uint8Array(image.length).fill(mean));
}

/** Moves each colour from or to its grey, in place: Pillow's `ImageEnhance.Color`. */
export function saturation({ image }: Colours, factor: number): void {
  const greys = new Uint8Array(image.length);
  for (let i = 0; i < greys.length; i += 3) greys[i] = greys[i + 1] = greys[i + 2] = grey(image, i);
  blend(image, factor, greys);
}

/** Moves each colour from or to the mean of its neighbours, in place: Pillow's `ImageEnhance.Sharpness`. */
export function sharpness(colours: Colours, factor: number): void {
  blend(colours.image, factor, smoothed(colours));
}

/**
 * base + factor·(image − base) in place, in the float32 and with the truncation of Pillow's `Image.blend`.
 *
 * @param base the picture that a factor of 0 leaves
 */
export function blend(image: Uint8Array, factor: number, base: Uint8Array): void {
  if (factor === 1) return;
  const alpha = Math.fround(factor);
  for (let i = 0; i < image.length; i++) {
    const from = base[i]!;
    const value = Math.fround(from + Math.fround(alpha * (image[i]! - from)));
    image[i] = value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
  }
}

/** Pillow's `ImageFilter.SMOOTH`: the mean of 3 × 3 pixels, the middle one five times; borders stay. */
function smoothed({ width, height, image }: Colours): Uint8Array {
  const f = Math.fround;
  const [side, middle] = [f(1 / 13), f(5 / 13)];
  const out = new Uint8Array(image);
  const stride = 3 * width;
  // Each pixel's share in its neighbours' means, as Pillow rounds it.
  const shares = Float32Array.from({ length: 256 }, (_, byte) => byte * side);
  const row = (at: number) => f(f(shares[image[at - 3]!]! + shares[image[at]!]!) + shares[image[at + 3]!]!);
  for (let y = 1; y < height - 1; y++)
    for (let at = y * stride + 3; at < (y + 1) * stride - 3; at++) {
      const inner = f(f(shares[image[at - 3]!]! + f(image[at]! * middle)) + shares[image[at + 3]!]!);
      const sum = f(f(f(0.5 + row(at + stride)) + inner) + row(at - stride));
      out[at] = Math.min(255, sum);
    }
  return out;
}
