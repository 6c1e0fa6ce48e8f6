import { stat } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { readImage, readMask } from '../../data/images/image-file.js';
import { resizeBilinear, resizeNearest } from '../../data/images/resize.js';
import type { Pair, Sample, SamplePlan } from '../../data/types.js';
import { type MaskIds, toClasses } from './mask-ids.js';
import type { SampleCache } from './sample-cache.js';

export interface LoadOptions {
  /** The ids that masks store, in the order of the classes. Default [1, 2, 3], trimaps. */
  readonly ids?: MaskIds;
  /** Where decoded samples are kept, so that the second epoch decodes nothing. Default: nowhere. */
  readonly cache?: SampleCache;
}

/** To be raised when the same files decode to other bytes, so that older disk caches miss. */
const DECODER = 2;

/**
 * Loads one sample: decoded, resized to `size` × `size` (bilinear as PIL's; the mask to the nearest), its stored
 * ids turned into classes. A stored 255 that is no declared id is ignored by losses and metrics: `checkMasks` says where
 * that cannot be meant.
 *
 * @throws UserError naming the file, for what cannot be decoded, sizes that differ, and an id that is not declared.
 */
export async function loadSample(plan: SamplePlan, size: number, options: LoadOptions = {}): Promise<Sample> {
  const { ids = [1, 2, 3], cache } = options;
  const { pair } = plan;
  if (!cache) return { plan, width: size, height: size, ...(await decodePair(pair, size, ids)) };
  const key = [DECODER, await stamp(pair.image), await stamp(pair.mask), size, JSON.stringify(ids)].join('|');
  const cached = await cache.get(key, size);
  if (cached) return { plan, width: size, height: size, ...cached };
  const decoded = await decodePair(pair, size, ids);
  await cache.set(key, decoded);
  return { plan, width: size, height: size, ...decoded };
}

async function decodePair(
  pair: Pair,
  size: number,
  ids: MaskIds,
): Promise<{ image: Uint8Array; mask: Uint8Array }> {
  const [image, mask] = await Promise.all([readImage(pair.image), readMask(pair.mask)]);
  if (image.width !== mask.width || image.height !== mask.height)
    throw new UserError(
      `${pair.mask}: expected the size of ${pair.image}, ${image.width}×${image.height}, got ${mask.width}×${mask.height}`,
      { path: pair.mask },
    );
  const classes = toClasses(mask.data, ids, pair.mask);
  return {
    image: resizeBilinear(image, size, size).data,
    mask: resizeNearest({ ...mask, data: classes }, size, size),
  };
}

async function stamp(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return `${path}:${found?.mtimeMs}:${found?.size}`;
}
