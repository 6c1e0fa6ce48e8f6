import { UserError } from '../../base/errors.js';
import { imagesAddon, type LoadRequest } from '../pixels/addon.js';
import { borrow, lend } from '../pixels/sample-memory.js';
import { isLocal, nameOf, read, type Source } from '../source.js';
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
  /** Whether the bytes are lent until their batch is made: see `lend`. Default: they are the caller's. */
  readonly lent?: boolean | undefined;
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
  lent = false,
}: PictureRequest): Promise<Uint8Array[] | undefined> {
  const addon = imagesAddon();
  if (!addon || !addon.about().jpeg) return undefined;
  const memory = lent ? borrow : (length: number) => new Uint8Array(length);
  const [imageFile, maskFile] = await Promise.all([
    fileOf(image, 'an image'),
    mask && fileOf(mask, 'a mask'),
  ]);
  const request = (memory: (length: number) => Uint8Array): LoadRequest => ({
    image: imageFile,
    mask: maskFile,
    width,
    height,
    fast: mode === 'fast',
    mostPixels: MOST_PIXELS,
    classes,
    imageOut: memory(3 * width * height),
    maskOut: mask === undefined ? undefined : memory(width * height),
  });
  const first = request(memory);
  if (!(await addon.load(first))) return undefined;
  const parts = partsOf(first);
  if (lent)
    lend(parts, () => {
      const again = request((length) => new Uint8Array(length));
      if (addon.loadNow(again)) return partsOf(again);
      throw new UserError(
        `${nameOf(image)}: expected the picture that its batch was made of, got a file that has changed since; read \`image\` and \`mask\` of a sample before its batch is made`,
        { path: nameOf(image) },
      );
    });
  return parts;
}

function partsOf({ imageOut, maskOut }: LoadRequest): Uint8Array[] {
  return maskOut ? [imageOut, maskOut] : [imageOut];
}

/** A file's path, or the bytes of what is no file. */
async function fileOf(source: Source, what: string): Promise<string | Uint8Array> {
  return typeof source === 'string' && isLocal(source) ? source : read(source, what);
}
