import { stampOf } from '../source.js';
import type { ImageItem, Tile } from '../types.js';
import { crop } from './crop.js';
import { readImage } from './image-file.js';
import type { Size } from './image-size.js';
import { recentPicture } from './recent-pictures.js';
import { resizedImage } from './resized.js';

/** The image of a tile at a size: black where it reaches beyond the picture. */
export async function decodeImageTile({ image }: ImageItem, tile: Tile, size: Size): Promise<Uint8Array> {
  const pixels = await recentPicture(await stampOf(image), () => readImage(image));
  const { width, height } = tile;
  return resizedImage({ width, height, data: crop(pixels, tile, 3, 0) }, size);
}

/** What tells a tile from others of its picture, in keys of caches. */
export function tileKey({ left, top, width, height }: Tile): string {
  return `tile ${left},${top},${width},${height}`;
}
