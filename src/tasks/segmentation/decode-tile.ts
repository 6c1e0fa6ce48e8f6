import { UserError } from '../../base/errors.js';
import { crop } from '../../data/images/crop.js';
import type { Size } from '../../data/images/image-size.js';
import { decodeImageTile } from '../../data/images/image-tile.js';
import { bytesOf, loadChannels } from '../../data/images/load-channels.js';
import type { PixelFormat } from '../../data/images/pixel-format.js';
import { recentPicture } from '../../data/images/recent-pictures.js';
import { resizedMask } from '../../data/images/resized.js';
import { nameOf, stampOf } from '../../data/source.js';
import { IGNORE_INDEX, type Pair, type Tile } from '../../data/types.js';
import { type MaskFormat, readMaskIds } from './mask-format.js';
import { type MaskIds, toClasses } from './mask-ids.js';

/** The image and the classes of a tile at a size; what lies beyond the picture is black and ignored. */
export async function decodeTile(
  pair: Pair,
  tile: Tile,
  size: Size,
  {
    ids,
    palette,
    pixels: deep,
  }: MaskFormat & { readonly ids: MaskIds; readonly pixels: PixelFormat | undefined },
): Promise<Uint8Array[]> {
  const { mask } = pair;
  const key = [await stampOf(mask), JSON.stringify(ids), JSON.stringify(palette) ?? ''].join('|');
  const classes = await recentPicture(key, async () => {
    const { width, height, data } = await readMaskIds(mask, palette);
    return { width, height, data: toClasses(data, ids, nameOf(mask)) };
  });
  const { picture, width, height } = tile;
  if (classes.width !== picture.width || classes.height !== picture.height)
    throw new UserError(
      `${nameOf(mask)}: expected the size of ${nameOf(pair.image)}, ${picture.width}×${picture.height}, got ${classes.width}×${classes.height}`,
      { path: nameOf(mask) },
    );
  return Promise.all([
    deep
      ? loadChannels(pair, size, deep).then(({ values }) => bytesOf(values))
      : decodeImageTile(pair, tile, size),
    resizedMask({ width, height, data: crop(classes, tile, 1, IGNORE_INDEX) }, size),
  ]);
}
