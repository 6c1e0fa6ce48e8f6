import { UserError } from '../../base/errors.js';
import { checkImage } from '../../data/images/check-image.js';
import type { PixelFormat } from '../../data/images/pixel-format.js';
import { isLocal, nameOf } from '../../data/source.js';
import type { ImageItem, Pair } from '../../data/types.js';

/** The number of files open at a time. */
const CONCURRENCY = 8;

/** The number of items whose bytes are elsewhere that are fetched to be checked. */
const REMOTE = 8;

/**
 * Checks every image, and its mask if it has one, by `checkImage`. An image and its mask must have one size.
 * Of those that have to be fetched over a network, only the first few are.
 *
 * @throws UserError naming the first broken file.
 */
export async function checkPairs(
  items: readonly (ImageItem & Partial<Pair>)[],
  pixels?: PixelFormat,
): Promise<void> {
  const local: (ImageItem & Partial<Pair>)[] = [];
  const remote: (ImageItem & Partial<Pair>)[] = [];
  for (const item of items)
    (isLocal(item.image) && (item.mask === undefined || isLocal(item.mask)) ? local : remote).push(item);
  const queue = [...local, ...remote.slice(0, REMOTE)].values();
  const worker = async () => {
    for (const item of queue) await checkPair(item, pixels);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function checkPair({ image, mask }: ImageItem & Partial<Pair>, pixels?: PixelFormat): Promise<void> {
  const size = await checkImage(image, 'an image', pixels);
  if (mask === undefined) return;
  const maskSize = await checkImage(mask, 'a mask');
  if (size !== maskSize)
    throw new UserError(`${nameOf(mask)}: expected the size of ${nameOf(image)}, ${size}, got ${maskSize}`, {
      path: nameOf(mask),
    });
}
