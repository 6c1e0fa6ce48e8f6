import { UserError } from '../../base/errors.js';
import { readImage, readMask } from '../../data/images/image-file.js';
import { type ImageSize, type Size, sizeOf, sizeText } from '../../data/images/image-size.js';
import { cached, DECODER, type LoadImageOptions } from '../../data/images/load-image.js';
import { resizeBilinear, resizeNearest } from '../../data/images/resize.js';
import { nameOf, stampOf } from '../../data/source.js';
import type { MaskedSample, Pair, SamplePlan } from '../../data/types.js';
import { type MaskIds, toClasses } from './mask-ids.js';

/** Options of `loadSample`. */
export interface LoadOptions extends LoadImageOptions {
  /** The ids that masks store, in the order of the classes. Default [1, 2, 3], trimaps. */
  readonly ids?: MaskIds;
}

/**
 * Loads one sample: decoded, resized to `size` (bilinear as PIL's; the mask to the nearest), its stored ids
 * turned into classes. A stored 255 that is no declared id is ignored by losses and metrics: `checkMasks` says where
 * that are certainly wrong.
 *
 * @throws UserError naming the file, for what cannot be decoded, sizes that differ, and an id that is not declared.
 */
export async function loadSample(
  plan: SamplePlan,
  size: ImageSize,
  { ids = [1, 2, 3], cache }: LoadOptions = {},
): Promise<MaskedSample> {
  const { item } = plan;
  const { width, height } = sizeOf(size);
  const key = async () =>
    [DECODER, await stampOf(item.image), await stampOf(item.mask), sizeText(size), JSON.stringify(ids)].join(
      '|',
    );
  const lengths = [3 * width * height, width * height];
  const [image, mask] = await cached(cache, key, lengths, () => decodePair(item, { width, height }, ids));
  return { plan, width, height, image: image!, mask: mask! };
}

async function decodePair(
  pair: Pair,
  { width, height }: Size,
  ids: MaskIds,
): Promise<[image: Uint8Array, mask: Uint8Array]> {
  const [image, mask] = await Promise.all([readImage(pair.image), readMask(pair.mask)]);
  if (image.width !== mask.width || image.height !== mask.height)
    throw new UserError(
      `${nameOf(pair.mask)}: expected the size of ${nameOf(pair.image)}, ${image.width}×${image.height}, got ${mask.width}×${mask.height}`,
      { path: nameOf(pair.mask) },
    );
  const classes = toClasses(mask.data, ids, nameOf(pair.mask));
  return [
    resizeBilinear(image, width, height).data,
    resizeNearest({ ...mask, data: classes }, width, height),
  ];
}
