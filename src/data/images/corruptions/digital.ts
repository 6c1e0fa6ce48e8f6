import { loadSharp } from '../../../base/sharp.js';
import { valueNoise } from '../../creatures/texture.js';
import { type Corruption, pixels, withImage } from './corruption.js';

/** Less contrast: every value moves towards the picture's mean. */
export const contrast: Corruption = (picture, severity) => {
  const left = [0.6, 0.45, 0.32, 0.2, 0.1][severity - 1]!;
  const mean = picture.image.reduce((sum, value) => sum + value, 0) / picture.image.length;
  return withImage(picture, (image, out) => {
    for (let i = 0; i < image.length; i++) out[i] = mean + left * (image[i]! - mean);
  });
};

/**
 * A rubber sheet: each pixel is fetched from a little way off, smoothly varying. The mask moves with the image;
 * both take the nearest pixel, so that no label is invented.
 */
export const elastic: Corruption = (picture, severity, random) => {
  const { width, height } = picture;
  const reach = pixels([4, 6, 9, 12, 16][severity - 1]!, picture);
  const side = pixels(40, picture);
  const [across, down] = [valueNoise(random, side), valueNoise(random, side)];
  const mask = new Uint8Array(picture.mask.length);
  const image = new Uint8Array(picture.image.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const u = Math.min(width - 1, Math.max(0, Math.round(x + reach * (2 * across(x, y) - 1))));
      const v = Math.min(height - 1, Math.max(0, Math.round(y + reach * (2 * down(x, y) - 1))));
      const [to, from] = [y * width + x, v * width + u];
      mask[to] = picture.mask[from]!;
      for (let c = 0; c < 3; c++) image[to * 3 + c] = picture.image[from * 3 + c]!;
    }
  return { ...picture, image, mask };
};

/** Coarse pixels: shrunk by averaging and enlarged again. */
export const pixelate: Corruption = async (picture, severity) => {
  const { width, height } = picture;
  const left = [0.5, 0.38, 0.29, 0.22, 0.16][severity - 1]!;
  const [w, h] = [Math.max(1, Math.round(width * left)), Math.max(1, Math.round(height * left))];
  const sharp = loadSharp();
  const small = await sharp(picture.image, raw(width, height))
    .resize(w, h, { fit: 'fill', kernel: 'linear' })
    .raw()
    .toBuffer();
  const large = await sharp(small, raw(w, h))
    .resize(width, height, { fit: 'fill', kernel: 'nearest' })
    .raw()
    .toBuffer();
  return { ...picture, image: new Uint8Array(large) };
};

/** A JPEG file of too low a quality. */
export const jpeg: Corruption = async (picture, severity) => {
  const quality = [30, 20, 14, 10, 7][severity - 1]!;
  const sharp = loadSharp();
  const file = await sharp(picture.image, raw(picture.width, picture.height)).jpeg({ quality }).toBuffer();
  return { ...picture, image: new Uint8Array(await sharp(file).removeAlpha().raw().toBuffer()) };
};

function raw(width: number, height: number) {
  return { raw: { width, height, channels: 3 as const } };
}
