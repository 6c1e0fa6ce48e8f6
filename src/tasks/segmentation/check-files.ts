import { UserError } from '../../base/errors.js';
import { checkImage } from '../../data/images/check-image.js';
import type { ImageItem, Pair } from '../../data/types.js';

/** The number of files open at a time. */
const CONCURRENCY = 8;

/**
 * Checks every image, and its mask if it has one, by `checkImage`. An image and its mask must have one size.
 *
 * @throws UserError naming the first broken file.
 */
export async function checkPairs(items: readonly (ImageItem & Partial<Pair>)[]): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await checkPair(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function checkPair({ image, mask }: ImageItem & Partial<Pair>): Promise<void> {
  const size = await checkImage(image, 'an image');
  if (mask === undefined) return;
  const maskSize = await checkImage(mask, 'a mask');
  if (size !== maskSize)
    throw new UserError(`${mask}: expected the size of ${image}, ${size}, got ${maskSize}`, { path: mask });
}
