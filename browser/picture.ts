import { UserError } from '../src/base/errors.js';
import type { Size } from '../src/data/images/image-size.js';
import type { Normalization } from '../src/data/images/normalization.js';
import { resizeBilinear, resizeNearest } from '../src/data/pixels/resize.js';
import { IGNORE_INDEX } from '../src/data/types.js';

/** RGB bytes, row by row. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Decodes a picture as the browser does, upright. */
export async function decodePicture(file: File): Promise<Picture> {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  }).catch((cause: unknown) => {
    throw new UserError(`${file.name}: expected a picture that this browser decodes`, {}, { cause });
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  const rgba = context.getImageData(0, 0, width, height).data;
  const data = new Uint8Array(width * height * 3);
  for (let from = 0, at = 0; at < data.length; from += 4, at += 3)
    data.set(rgba.subarray(from, from + 3), at);
  return { width, height, data };
}

/** A model's input: resized as the recipes do, and normalised. */
export function modelInput(picture: Picture, size: Size, { mean, std }: Normalization): Float32Array {
  const { data } = resizeBilinear(picture, size.width, size.height);
  return Float32Array.from(data, (byte, i) => (byte / 255 - mean[i % 3]!) / std[i % 3]!);
}

/** Each pixel's colour as one number: a grey level, or 0xRRGGBB. */
export function colours({ data }: Picture): Uint32Array {
  return Uint32Array.from({ length: data.length / 3 }, (_, i) => {
    const [r, g, b] = data.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number];
    return r === g && g === b ? r : (r << 16) | (g << 8) | b;
  });
}

/** The colours of all masks in ascending order: class 0 is the first. @throws UserError for fewer than two or over 32. */
export function classesOf(masks: readonly Picture[]): number[] {
  const all = new Set<number>();
  for (const mask of masks) for (const colour of new Set(colours(mask))) all.add(colour);
  all.delete(IGNORE_INDEX);
  const found = [...all].toSorted((a, b) => a - b);
  // Two values of which one is 255 are black and white: a mask without ignored pixels.
  if (found.length === 1) found.push(IGNORE_INDEX);
  if (found.length >= 2 && found.length <= 32) return found;
  throw new UserError(
    `masks: expected 2 to 32 grey levels or colours, one for each class, got ${found.length}; save the masks without smoothing`,
    { count: found.length },
  );
}

/** The class ids of a mask at the size of a model; 255 is ignored. */
export function maskIds(mask: Picture, size: Size, classes: readonly number[]): Int32Array {
  const ids = new Map(classes.map((colour, id) => [colour, id]));
  const own = Uint8Array.from(colours(mask), (colour) => ids.get(colour) ?? IGNORE_INDEX);
  const { width, height } = mask;
  return Int32Array.from(resizeNearest({ width, height, data: own }, size.width, size.height));
}
