import { UserError } from '../../base/errors.js';
import type { ImageItem, Tile } from '../types.js';
import { type ImageSize, type Size, sizeOf } from './image-size.js';
import { pictureSize } from './picture-size.js';

/** How pictures are cut. */
export interface TileOptions {
  /** The size of a tile in pixels of the picture; a number is a square. */
  readonly tiles: ImageSize;
  /** Share of a tile's side that it has in common with the next one, from 0 to below 1. Default .25. */
  readonly overlap?: number | undefined;
}

/**
 * The tiles of a picture, row by row: windows that cover all of it, at equal steps but for the last of a row and of a
 * column, which end at the picture's border. A picture smaller than a tile has one.
 *
 * @example
 * tilesOf({ width: 600, height: 256 }, { tiles: 256 }).map(({ left }) => left); // => [0, 192, 344]
 */
export function tilesOf(picture: Size, { tiles, overlap = 0.25 }: TileOptions): Tile[] {
  if (!(overlap >= 0 && overlap < 1))
    throw new UserError(`overlap: expected a share from 0 to below 1, got ${overlap}; see --tile-overlap`, {
      overlap,
    });
  const size = sizeOf(tiles);
  const columns = starts(picture.width, size.width, overlap);
  const rows = starts(picture.height, size.height, overlap);
  const count = rows.length * columns.length;
  return rows.flatMap((top, y) =>
    columns.map((left, x) => ({ left, top, ...size, picture, last: y * columns.length + x === count - 1 })),
  );
}

function starts(length: number, tile: number, overlap: number): number[] {
  const step = Math.max(1, Math.round(tile * (1 - overlap)));
  const result: number[] = [];
  for (let at = 0; at + tile < length; at += step) result.push(at);
  return [...result, Math.max(0, length - tile)];
}

/** An item that is a tile of a picture. */
export type Tiled<I extends ImageItem> = I & { readonly tile: Tile };

/**
 * Cuts items into tiles, in order: items like any other, so that plans, shuffling and resuming know nothing of tiles. A
 * tile's stem is its picture's with its place, `street_1@192,0`. Only the headers of the pictures are read.
 *
 * @example
 * const tiles = await cutTiles(train, { tiles: 256, overlap: 0.25 });
 * prefetch(batchPlans(tiles, { batchSize: 8, seed }), load, { ahead: 2 });
 */
export async function cutTiles<I extends ImageItem>(
  items: readonly I[],
  options: TileOptions,
): Promise<Tiled<I>[]> {
  const result: Tiled<I>[] = [];
  for (const item of items)
    for (const tile of tilesOf(await pictureSize(item.image), options))
      result.push({ ...item, stem: `${item.stem}@${tile.left},${tile.top}`, tile });
  return result;
}
