import { imagesAddon } from '../pixels/addon.js';
import { resizeBilinear, resizeNearest } from '../pixels/resize.js';
import type { Pixels } from './image-file.js';
import type { Size } from './image-size.js';

/** `resizeBilinear`, off the event loop where the addon is there. */
export async function resizedImage(pixels: Pixels, { width, height }: Size): Promise<Uint8Array> {
  const addon = imagesAddon();
  if (!addon || (pixels.width === width && pixels.height === height))
    return resizeBilinear(pixels, width, height).data;
  const out = new Uint8Array(3 * width * height);
  const sizes = { width: pixels.width, height: pixels.height, toWidth: width, toHeight: height };
  await addon.resizeBilinear({ ...sizes, channels: 3, pixels: pixels.data, out });
  return out;
}

/** `resizeNearest`, off the event loop where the addon is there. */
export async function resizedMask(
  mask: { readonly width: number; readonly height: number; readonly data: Uint8Array },
  { width, height }: Size,
): Promise<Uint8Array> {
  const addon = imagesAddon();
  if (!addon) return resizeNearest(mask, width, height);
  const out = new Uint8Array(width * height);
  const sizes = { width: mask.width, height: mask.height, toWidth: width, toHeight: height };
  await addon.resizeNearest({ ...sizes, pixels: mask.data, out });
  return out;
}
