import { drafted } from '../pixels/draft.js';
import type { Source } from '../source.js';
import type { ImageItem, Sample, SamplePlan } from '../types.js';
import { cached, kindOf } from './cached.js';
import { type DecodeMode, decodeNatively } from './decode-natively.js';
import { readImage } from './image-file.js';
import { type ImageSize, type Size, sizeOf } from './image-size.js';
import { decodeImageTile } from './image-tile.js';
import { itemStamp } from './item-stamp.js';
import { bytesOf, loadChannels, valuesOf } from './load-channels.js';
import { deepFormat, type PixelFormat } from './pixel-format.js';
import { resizedImage } from './resized.js';
import type { SampleCache } from './sample-cache.js';
import { readScaledImage, type ScaledImage } from './scaled-image.js';

/** Options of `loadImage`. */
export interface LoadImageOptions {
  /** The cache of decoded samples, so that the second epoch decodes nothing. Default: nowhere. */
  readonly cache?: SampleCache | undefined;
  /**
   * How JPEGs are decoded: `exact` gives the bytes of PIL; `fast` decodes large pictures at a smaller scale, whose bytes
   * differ a little. Default exact.
   */
  readonly mode?: DecodeMode | undefined;
  /**
   * How pictures become numbers that are not RGB of 8 bits: samples then hold a Uint16Array of `channels` values a pixel.
   * Default: RGB bytes.
   */
  readonly pixels?: PixelFormat | undefined;
}

/**
 * Loads one image: decoded, and resized to `size` (bilinear as PIL's).
 *
 * @throws UserError naming the file, for what cannot be decoded.
 */
export async function loadImage<I extends ImageItem>(
  plan: SamplePlan<I>,
  imageSize: ImageSize,
  { cache, mode = 'exact', pixels }: LoadImageOptions = {},
): Promise<Sample<I>> {
  const source = plan.item.image;
  const size = sizeOf(imageSize);
  const { width, height } = size;
  const { tile } = plan.item;
  const deep = deepFormat(pixels);
  const decode = async () =>
    deep
      ? [bytesOf((await loadChannels(plan.item, size, deep)).values)]
      : tile
        ? [await decodeImageTile(plan.item, tile, size)]
        : ((await decodeNatively({ image: source, size, mode, lent: !cache })) ?? [
            await resizedImage((await readWhole(source, size, mode)).pixels, size),
          ]);
  const lookup = {
    cache,
    lengths: [imageBytes(size, deep)],
    kind: kindOf('image', size, mode, deep),
    stamp: () => itemStamp({ image: source, ...(tile && { tile }) }),
  };
  const [image] = await cached(plan, lookup, decode);
  return drafted(
    { plan, width, height },
    { width, height, image: deep ? valuesOf(image!) : image!, edits: [] },
  );
}

/** The bytes of an image as caches keep it. */
export function imageBytes({ width, height }: Size, deep: PixelFormat | undefined): number {
  return width * height * (deep ? 2 * deep.channels : 3);
}

/** An image as `mode` has it, by JavaScript: at its own size, or scaled where that is quicker. */
export async function readWhole(source: Source, size: Size, mode: DecodeMode): Promise<ScaledImage> {
  if (mode === 'fast') return readScaledImage(source, size);
  const pixels = await readImage(source);
  return { pixels, full: pixels };
}
