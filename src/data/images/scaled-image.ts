import { nameOf, read, type Source } from '../source.js';
import { type Pixels, readImage } from './image-file.js';
import type { Size } from './image-size.js';
import { decodeWith, openPicture } from './open-picture.js';

/** An image, and its size before it was scaled. */
export interface ScaledImage {
  readonly pixels: Pixels;
  readonly full: Size;
}

/**
 * Decodes a JPEG straight to a size with libjpeg's scaled transform and libvips's filter, which is quicker than `readImage`
 * and gives other bytes; any other image as `readImage` does, at its own size.
 */
export async function readScaledImage(source: Source, { width, height }: Size): Promise<ScaledImage> {
  const bytes = await read(source, 'an image');
  const name = nameOf(source);
  const scaled = await decodeWith(name, 'an image', async () => {
    const { source: picture, space, depth } = await openPicture(name, bytes);
    const { format, autoOrient } = await picture.metadata();
    if (format !== 'jpeg' || space !== 'srgb' || depth !== 'uchar') return undefined;
    const resized = picture.resize(width, height, { fit: 'fill', kernel: 'linear' }).removeAlpha();
    const data = new Uint8Array(await resized.toColourspace('srgb').raw().toBuffer());
    return { pixels: { width, height, data }, full: { width: autoOrient.width, height: autoOrient.height } };
  });
  if (scaled) return scaled;
  const pixels = await readImage({ kind: 'bytes', bytes, name });
  return { pixels, full: pixels };
}
