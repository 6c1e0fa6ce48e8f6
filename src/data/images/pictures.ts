import type { Tensor } from '@tensorflow/tfjs-core';
import type { Normalization } from './normalization.js';

/** An image as a person sees it: RGB bytes, row by row. */
export interface ShownPicture {
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
}

/** The images of a batch, [batch, height, width, 3], before normalization. */
export async function pictures(images: Tensor, { mean, std }: Normalization): Promise<ShownPicture[]> {
  const [count, height, width] = images.shape as [number, number, number];
  const pixels = await images.data();
  const size = 3 * width * height;
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    image: Uint8Array.from(pixels.subarray(i * size, (i + 1) * size), (value, k) =>
      Math.min(255, Math.max(0, Math.round(255 * (value * std[k % 3]! + mean[k % 3]!)))),
    ),
  }));
}
