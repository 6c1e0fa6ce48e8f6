import { imagesAddon } from '../pixels/addon.js';
import { isLocal, read, type Source } from '../source.js';
import type { Size } from './image-size.js';
import { MOST_PIXELS } from './open-picture.js';

/** How JPEGs are decoded: `exact` gives Pillow's bytes; `fast` decodes a large picture at a smaller scale. */
export type DecodeMode = 'exact' | 'fast';

/** A picture, and its mask where it has one, to be decoded and resized. */
export interface PictureRequest {
  readonly image: Source;
  readonly mask?: Source | undefined;
  readonly size: Size;
  readonly mode: DecodeMode;
  /** The class of each of 65,536 ids, −1 for one that is not declared; needed for a mask. */
  readonly classes?: Int16Array | undefined;
}

/**
 * The bytes of a picture and its mask in one call of native code, off the event loop. Undefined without the addon, and where a
 * file is anything but a plain JPEG or a plain PNG mask: `readImage` and `readMask` then read it, or say what is wrong.
 */
export async function decodeNatively({
  image,
  mask,
  size: { width, height },
  mode,
  classes,
}: PictureRequest): Promise<Uint8Array[] | undefined> {
  const addon = imagesAddon();
  if (!addon || !addon.about().jpeg) return undefined;
  const imageOut = new Uint8Array(3 * width * height);
  const maskOut = mask === undefined ? undefined : new Uint8Array(width * height);
  const [imageFile, maskFile] = await Promise.all([
    fileOf(image, 'an image'),
    mask && fileOf(mask, 'a mask'),
  ]);
  const done = await addon.load({
    image: imageFile,
    mask: maskFile,
    width,
    height,
    fast: mode === 'fast',
    mostPixels: MOST_PIXELS,
    classes,
    imageOut,
    maskOut,
  });
  if (!done) return undefined;
  return maskOut ? [imageOut, maskOut] : [imageOut];
}

/** A file's path, or the bytes of what is no file. */
async function fileOf(source: Source, what: string): Promise<string | Uint8Array> {
  return typeof source === 'string' && isLocal(source) ? source : read(source, what);
}
