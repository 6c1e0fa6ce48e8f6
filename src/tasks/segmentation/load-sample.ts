import { UserError } from '../../base/errors.js';
import { cached, kindOf } from '../../data/images/cached.js';
import { type DecodeMode, decodeNatively } from '../../data/images/decode-natively.js';
import { type ImageSize, type Size, sizeOf } from '../../data/images/image-size.js';
import { itemStamp } from '../../data/images/item-stamp.js';
import { type LoadImageOptions, readWhole } from '../../data/images/load-image.js';
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
  { ids = TRIMAP, palette, cache, mode = 'exact' }: LoadOptions = {},
): Promise<MaskedSample> {
  const { item } = plan;
  const size = sizeOf(imageSize);
  const { width, height } = size;
  const { tile } = item;
  const lookup = {
    cache,
    lengths: [3 * width * height, width * height],
    kind: kindOf(JSON.stringify(palette ? [ids, palette] : ids), size, mode),
    stamp: () => itemStamp(item),
  };
  const [image, mask] = await cached(plan, lookup, () =>
    tile ? decodeTile(item, tile, size, { ids, palette }) : decodePair(item, size, { ids, palette, mode }),
  );
  return drafted({ plan, width, height }, { width, height, image: image!, mask: mask!, edits: [] });
}

interface PairFormat extends MaskFormat {
  readonly ids: MaskIds;
  readonly mode: DecodeMode;
}

async function decodePair(pair: Pair, size: Size, { ids, palette, mode }: PairFormat): Promise<Uint8Array[]> {
  const decoded = palette
    ? undefined
    : await decodeNatively({ ...pair, size, mode, classes: classTable(ids) });
  if (decoded) return decoded;
  const [{ pixels, full }, mask] = await Promise.all([
    readWhole(pair.image, size, mode),
    readMaskIds(pair.mask, palette),
  ]);
  if (full.width !== mask.width || full.height !== mask.height)
    throw new UserError(
      `${nameOf(pair.mask)}: expected the size of ${nameOf(pair.image)}, ${full.width}×${full.height}, got ${mask.width}×${mask.height}`,
      { path: nameOf(pair.mask) },
    );
  const classes = toClasses(mask.data, ids, nameOf(pair.mask));
  return Promise.all([resizedImage(pixels, size), resizedMask({ ...mask, data: classes }, size)]);
}
