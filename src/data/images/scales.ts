import { UserError } from '../../base/errors.js';
import { randomStream } from '../../random/random-stream.js';
import type { BatchPlan, Item } from '../types.js';
import type { Size } from './image-size.js';

/**
 * The sizes of pictures at several scales, each side rounded to a multiple of a patch; equal ones once.
 *
 * @throws UserError for a scale that is not above 0.
 * @example
 * scaledSizes({ width: 224, height: 224 }, 16, [0.75, 1, 1.25]).map(({ width }) => width); // => [176, 224, 288]
 */
export function scaledSizes(size: Size, patch: number, scales: readonly number[]): Size[] {
  const sizes = scales.map((scale) => {
    if (!(scale > 0 && Number.isFinite(scale)))
      throw new UserError(`scales: expected numbers above 0, got ${scale}`, { scale });
    const side = (length: number) => patch * Math.max(1, Math.round((length * scale) / patch));
    return { width: side(size.width), height: side(size.height) };
  });
  return sizes.filter(
    ({ width, height }, i) =>
      sizes.findIndex((other) => other.width === width && other.height === height) === i,
  );
}

/**
 * The size of the pictures of a batch, drawn from several: a pure function of the seed, the epoch and the batch's place
 * in it.
 */
export function drawnSize({ samples, epoch, batch }: BatchPlan<Item>, sizes: readonly Size[]): Size {
  const random = randomStream(samples[0]!.seed, 'scale', epoch, batch);
  return sizes[Math.floor(random() * sizes.length)]!;
}
