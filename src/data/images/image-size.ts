import type { Size } from '../pixels/values.js';

export type { Size };

/** The size of pictures; a number is a square. */
export type ImageSize = number | Size;

/** Width and height of an image size. */
export function sizeOf(size: ImageSize): Size {
  return typeof size === 'number' ? { width: size, height: size } : size;
}

/** The shortest form of a size, as records and cache keys hold it: a square is one number. */
export function shortSize(size: ImageSize): ImageSize {
  const { width, height } = sizeOf(size);
  return width === height ? width : { width, height };
}

/**
 * A size as text, width first: `224` is a square, `480x352` is not.
 *
 * @example
 * sizeText({ width: 480, height: 352 }); // => '480x352'
 */
export function sizeText(size: ImageSize): string {
  const { width, height } = sizeOf(size);
  return width === height ? `${width}` : `${width}x${height}`;
}
