import { resizeBilinear, type Taps, triangle } from './resize.js';
import { channelsOf, type DeepPixels, type Size, type Values } from './values.js';

/**
 * Resizes 16-bit values of any number of channels with the filter of `resizeBilinear`, rounded once at the end. The result
 * never shares the input's memory.
 */
export function resizeChannels(pixels: DeepPixels, { width, height }: Size): Uint16Array {
  const { channels } = pixels;
  if (pixels.width === width && pixels.height === height) return new Uint16Array(pixels.data);
  const across = new Float32Array(width * pixels.height * channels);
  const columns = triangle(pixels.width, width);
  for (let y = 0; y < pixels.height; y++)
    for (let x = 0; x < width; x++)
      weighted(
        pixels.data,
        y * pixels.width * channels,
        channels,
        columns,
        x,
        channels,
        across,
        (y * width + x) * channels,
      );
  const result = new Uint16Array(width * height * channels);
  const stride = width * channels;
  const row = new Float32Array(stride);
  const rows = triangle(pixels.height, height);
  for (let y = 0; y < height; y++) {
    weighted(across, 0, stride, rows, y, stride, row, 0);
    for (let i = 0; i < stride; i++) result[y * stride + i] = Math.min(65_535, row[i]! + 0.5);
  }
  return result;
}

/** Resizes a picture of RGB bytes by `resizeBilinear`, one of 16-bit values by `resizeChannels`. */
export function resizeValues(
  picture: { readonly width: number; readonly height: number; readonly image: Values },
  to: Size,
): Values {
  const { width, height, image } = picture;
  return image instanceof Uint8Array
    ? resizeBilinear({ width, height, data: image }, to.width, to.height).data
    : resizeChannels({ width, height, channels: channelsOf(picture), data: image }, to);
}

/** `count` weighted sums of what lies `stride` apart, from `start` on, for one place of the output. */
function weighted(
  from: Uint16Array | Float32Array,
  start: number,
  stride: number,
  { first, start: starts, weights }: Taps,
  place: number,
  count: number,
  to: Float32Array,
  at: number,
): void {
  to.fill(0, at, at + count);
  const begin = starts[place]!;
  const end = starts[place + 1]!;
  // The weights of fixed point sum to one but for rounding.
  let total = 0;
  for (let tap = begin; tap < end; tap++) total += weights[tap]!;
  for (let tap = begin, source = start + first[place]! * stride; tap < end; tap++, source += stride) {
    const weight = weights[tap]! / total;
    for (let c = 0; c < count; c++) to[at + c]! += weight * from[source + c]!;
  }
}
