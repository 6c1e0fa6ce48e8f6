import { stat } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { readImage, readMask } from './image-file.js';
import { resizeBilinear, resizeNearest } from './resize.js';
import type { SampleCache } from './sample-cache.js';
import { IGNORE_INDEX, type Pair, type Sample, type SamplePlan } from './types.js';

/** Marks an id that is not declared; no model has so many classes that it could be one. */
const UNKNOWN = 254;

export type MaskIds = readonly number[] | Readonly<Record<number, number>>;

export interface LoadOptions {
  /**
   * The ids that masks store, in the order of the classes: class k is stored as `ids[k]`. Or a map from stored ids to
   * classes, such as { 1: 0, 2: 1, 3: 255 } to ignore the border of a trimap. Default [1, 2, 3], trimaps.
   */
  readonly ids?: MaskIds;
  /** Where decoded samples are kept, so that the second epoch decodes nothing. Default: nowhere. */
  readonly cache?: SampleCache;
}

/** To be raised when the same files decode to other bytes, so that older disk caches miss. */
const DECODER = 2;

/**
 * Loads one sample: decoded, resized to `size` × `size` (bilinear as PIL's; the mask to the nearest), its stored
 * ids turned into classes. A stored 255 that is no declared id is ignored by losses and metrics.
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

function toClasses(stored: Uint8Array | Uint16Array, ids: MaskIds, path: string): Uint8Array {
  const table = new Uint8Array(65536).fill(UNKNOWN);
  table[IGNORE_INDEX] = IGNORE_INDEX;
  const declared = Array.isArray(ids)
    ? ids.map((id: number, k) => [id, k] as const)
    : Object.entries(ids).map(([id, k]) => [Number(id), Number(k)] as const);
  for (const [id, k] of declared) table[id] = k;
  const classes = new Uint8Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const value = table[stored[i]!]!;
    if (value === UNKNOWN)
      throw new UserError(
        `${path}: expected the ids ${declared.map(([id]) => id).join(', ')} (or ${IGNORE_INDEX} for ignored), got ${stored[i]}; declare it with --mask-ids`,
        { path, id: stored[i] },
      );
    classes[i] = value;
  }
  return classes;
}

async function stamp(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return `${path}:${found?.mtimeMs}:${found?.size}`;
}
