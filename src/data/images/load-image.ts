import { stampOf } from '../source.js';
import type { ImageItem, Sample, SamplePlan } from '../types.js';
import { readImage } from './image-file.js';
import { type ImageSize, sizeOf, sizeText } from './image-size.js';
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
 * Loads one image: decoded, and resized to `size` (bilinear as PIL's).
 *
 * @throws UserError naming the file, for what cannot be decoded.
 */
export async function loadImage<I extends ImageItem>(
  plan: SamplePlan<I>,
  size: ImageSize,
  { cache }: LoadImageOptions = {},
): Promise<Sample<I>> {
  const source = plan.item.image;
  const { width, height } = sizeOf(size);
  const decode = async () => [resizeBilinear(await readImage(source), width, height).data];
  const key = async () => [DECODER, 'image', await stampOf(source), sizeText(size)].join('|');
  const [image] = await cached(cache, key, [3 * width * height], decode);
  return { plan, width, height, image: image! };
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
