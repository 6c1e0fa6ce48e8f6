import type { Tensor } from '@tensorflow/tfjs-core';
import { channelsOf, type Values } from '../pixels/values.js';
import type { Normalization } from './normalization.js';

/** An image as a person sees it: RGB bytes, row by row. */
export interface ShownPicture {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
}

/**
 * The images of a batch, [batch, height, width, channels], before normalization: the first three channels as red, green and
 * blue, or of one or two the first as grey.
 */
export async function pictures(images: Tensor, { mean, std }: Normalization): Promise<ShownPicture[]> {
  const [count, height, width, channels] = images.shape as [number, number, number, number];
  const pixels = await images.data();
  const size = width * height;
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    image: Uint8Array.from({ length: 3 * size }, (_, at) => {
      const c = channels < 3 ? 0 : at % 3;
      const value = pixels[(i * size + Math.floor(at / 3)) * channels + c]!;
      return Math.min(255, Math.max(0, Math.round(255 * (value * std[c]! + mean[c]!))));
    }),
  }));
}

/** 16-bit values as a person sees them: as `pictures` shows them, by their upper bytes. */
export function shownBytes({
  width,
  height,
  image,
}: Omit<ShownPicture, 'image'> & { image: Values }): Uint8Array {
  if (image instanceof Uint8Array) return image;
  const channels = channelsOf({ width, height, image });
  return Uint8Array.from(
    { length: 3 * width * height },
    (_, at) => image[Math.floor(at / 3) * channels + (channels < 3 ? 0 : at % 3)]! >> 8,
  );
}
