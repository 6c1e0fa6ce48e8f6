import { UserError } from '../../base/errors.js';
import { cached, kindOf } from '../../data/images/cached.js';
import { type DecodeMode, decodeNatively } from '../../data/images/decode-natively.js';
import { type ImageSize, type Size, sizeOf } from '../../data/images/image-size.js';
import { itemStamp } from '../../data/images/item-stamp.js';
import { bytesOf, loadChannels, valuesOf } from '../../data/images/load-channels.js';
import { imageBytes, type LoadImageOptions, readWhole } from '../../data/images/load-image.js';
import { deepFormat, type PixelFormat } from '../../data/images/pixel-format.js';
import { resizedImage, resizedMask } from '../../data/images/resized.js';
import { drafted } from '../../data/pixels/draft.js';
import { nameOf } from '../../data/source.js';
import type { MaskedSample, Pair, SamplePlan } from '../../data/types.js';
import { decodeTile } from './decode-tile.js';
import { type MaskFormat, readMaskIds } from './mask-format.js';
import { classTable, type MaskIds, toClasses } from './mask-ids.js';

/** Options of `loadSample`. */
export interface LoadOptions extends LoadImageOptions, MaskFormat {}

/** The ids of a trimap: foreground, background, border. */
const TRIMAP: MaskIds = [1, 2, 3];

/**
 * Loads one sample: decoded, resized to `size` (bilinear as PIL's; the mask to the nearest), its stored ids
 * turned into classes. A stored 255 that is no declared id is ignored by losses and metrics: `checkMasks` says where
 * that are certainly wrong.
 *
 * @throws UserError naming the file, for what cannot be decoded, sizes that differ, and an id that is not declared.
 */
export async function loadSample(
  plan: SamplePlan,
  imageSize: ImageSize,
  { ids = TRIMAP, palette, cache, mode = 'exact', pixels }: LoadOptions = {},
): Promise<MaskedSample> {
  const { item } = plan;
  const size = sizeOf(imageSize);
  const { width, height } = size;
  const { tile } = item;
  const deep = deepFormat(pixels);
  const lookup = {
    cache,
    lengths: [imageBytes(size, deep), width * height],
    kind: kindOf(JSON.stringify(palette ? [ids, palette] : ids), size, mode, deep),
    stamp: () => itemStamp(item),
  };
  const [image, mask] = await cached(plan, lookup, () =>
    tile
      ? decodeTile(item, tile, size, { ids, palette, pixels: deep })
      : decodePair(item, size, { ids, palette, mode, pixels: deep, lent: !cache }),
  );
  return drafted(
    { plan, width, height },
    { width, height, image: deep ? valuesOf(image!) : image!, mask: mask!, edits: [] },
  );
}

interface PairFormat extends MaskFormat {
  readonly ids: MaskIds;
  readonly mode: DecodeMode;
  /** Of pictures that are not RGB of 8 bits. */
  readonly pixels: PixelFormat | undefined;
  /** Whether the bytes may be lent: a cache may keep what it is given. */
  readonly lent: boolean;
}

async function decodePair(
  pair: Pair,
  size: Size,
  { ids, palette, mode, pixels: deep, lent }: PairFormat,
): Promise<Uint8Array[]> {
  const decoded =
    palette || deep
      ? undefined
      : await decodeNatively({ ...pair, size, mode, classes: classTable(ids), lent });
  if (decoded) return decoded;
  const [image, mask] = await Promise.all([
    deep ? loadChannels(pair, size, deep) : readWhole(pair.image, size, mode),
    readMaskIds(pair.mask, palette),
  ]);
  const { full } = image;
  if (full.width !== mask.width || full.height !== mask.height)
    throw new UserError(
      `${nameOf(pair.mask)}: expected the size of ${nameOf(pair.image)}, ${full.width}×${full.height}, got ${mask.width}×${mask.height}`,
      { path: nameOf(pair.mask) },
    );
  const classes = toClasses(mask.data, ids, nameOf(pair.mask));
  return Promise.all([
    'values' in image ? bytesOf(image.values) : resizedImage(image.pixels, size),
    resizedMask({ ...mask, data: classes }, size),
  ]);
}
