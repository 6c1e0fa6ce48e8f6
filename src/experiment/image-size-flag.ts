import { z } from 'zod';
import { type ImageSize, shortSize } from '../data/images/image-size.js';

const side = z.int().min(1);
const WANTED = 'expected width x height, such as 480x352, or the side of a square';
const NO_LIST = `${WANTED}, since a list does not say which is the width`;

/**
 * A size of pictures on the command line or in a file: `224` is a square, `480x352` is 480 wide and 352 high, as cameras
 * say it; a file may also have `{ width: 480, height: 352 }`.
 *
 * A list such as `[480, 352]` is refused, since half of the tools mean height first by it.
 */
export const imageSizeFlag = z
  .union([side, z.string(), z.object({ width: side, height: side })], {
    error: ({ input }) => (Array.isArray(input) ? NO_LIST : WANTED),
  })
  .transform((value, context): ImageSize => {
    if (typeof value !== 'string') return shortSize(value);
    const [, width, height] = /^([1-9]\d*) ?[x×] ?([1-9]\d*)$/i.exec(value.trim()) ?? [];
    if (width !== undefined) return shortSize({ width: Number(width), height: Number(height) });
    context.addIssue({ code: 'custom', message: value.includes(',') ? NO_LIST : WANTED });
    return z.NEVER;
  })
  .meta({ expects: 'width x height or the side of a square' });
