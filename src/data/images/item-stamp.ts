import { type Source, stampOf } from '../source.js';
import type { ImageItem } from '../types.js';
import { tileKey } from './image-tile.js';

/** The identity of what an item's files contain: of its image, and of the mask and the tile where it has them. */
export async function itemStamp(
  item: Pick<ImageItem, 'image' | 'tile'> & { readonly mask?: Source },
): Promise<string> {
  const stamps = [await stampOf(item.image), ...(item.mask === undefined ? [] : [await stampOf(item.mask)])];
  return [...stamps, ...(item.tile ? [tileKey(item.tile)] : [])].join('|');
}
