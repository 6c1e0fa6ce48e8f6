import { stat } from 'node:fs/promises';
import type { ImageItem, Sample, SamplePlan } from '../types.js';
import { readImage } from './image-file.js';
import { resizeBilinear } from './resize.js';
import type { SampleCache } from './sample-cache.js';

/** Options of `loadImage`. */
export interface LoadImageOptions {
  /** The cache of decoded samples, so that the second epoch decodes nothing. Default: nowhere. */
  readonly cache?: SampleCache | undefined;
}

/**
 * The version of the decoder: raise it when the same files decode to other bytes, so that older disk caches miss.
 */
export const DECODER = 2;

/**
 * Loads one image: decoded, and resized to `size` × `size` (bilinear as PIL's).
 *
 * @throws UserError naming the file, for what cannot be decoded.
 */
export async function loadImage<I extends ImageItem>(
  plan: SamplePlan<I>,
  size: number,
  { cache }: LoadImageOptions = {},
): Promise<Sample<I>> {
  const path = plan.item.image;
  const decode = async () => [resizeBilinear(await readImage(path), size, size).data];
  const key = async () => [DECODER, 'image', await stamp(path), size].join('|');
  const [image] = await cached(cache, key, [3 * size * size], decode);
  return { plan, width: size, height: size, image: image! };
}

/** The cached parts of a key, or else those from `decode`, which are then cached. */
export async function cached(
  cache: SampleCache | undefined,
  keyOf: () => Promise<string>,
  lengths: readonly number[],
  decode: () => Promise<Uint8Array[]>,
): Promise<Uint8Array[]> {
  if (!cache) return decode();
  const key = await keyOf();
  const lookup = await cache.get(key, lengths);
  if (lookup) return lookup;
  const parts = await decode();
  await cache.set(key, parts);
  return parts;
}

/** The identity of a file's contents: its path, its time and its size. */
export async function stamp(path: string): Promise<string> {
  const stats = await stat(path).catch(() => undefined);
  return `${path}:${stats?.mtimeMs}:${stats?.size}`;
}
