import { resizeChannels } from '../pixels/resize-channels.js';
import type { DeepPixels } from '../pixels/values.js';
import { stampOf } from '../source.js';
import type { ImageItem } from '../types.js';
import { crop } from './crop.js';
import type { Size } from './image-size.js';
import type { PixelFormat } from './pixel-format.js';
import { formatKey } from './pixel-format.js';
import { readChannels } from './read-channels.js';
import { recentPicture } from './recent-pictures.js';

/** A picture of many channels at a size, and its own size; of a tile the tile, 0 where it reaches beyond the picture. */
export async function loadChannels(
  { image, tile }: Pick<ImageItem, 'image' | 'tile'>,
  size: Size,
  format: PixelFormat,
): Promise<{ readonly values: Uint16Array; readonly full: Size }> {
  if (!tile) {
    const pixels = await readChannels(image, format);
    return { values: resizeChannels(pixels, size), full: pixels };
  }
  const key = [await stampOf(image), ...formatKey(format)].join('|');
  const pixels: DeepPixels = await recentPicture(key, () => readChannels(image, format));
  const { width, height } = tile;
  const { channels } = pixels;
  const data = crop(pixels, tile, channels, 0);
  return { values: resizeChannels({ width, height, channels, data }, size), full: pixels };
}

/** 16-bit values as the bytes that caches keep, in the same memory. */
export function bytesOf(values: Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The values of bytes that a cache kept, in the same memory where it begins at an even place. */
export function valuesOf(bytes: Uint8Array): Uint16Array {
  const even = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(even.buffer, even.byteOffset, even.byteLength / 2);
}
