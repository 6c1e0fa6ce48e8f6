import { UserError } from '../../base/errors.js';
import { nameOf, read, type Source } from '../source.js';
import { bandsOf, decodeWith, openPicture } from './open-picture.js';

/** The id of each colour, as 0xRRGGBB. */
export type ColourIds = ReadonlyMap<number, number>;

/**
 * Decodes a mask whose classes are colours: to the id of each pixel's colour. Palette pictures count by the colours of
 * their palette; EXIF orientation is applied, alpha is dropped.
 *
 * @throws UserError for a colour that has no id, with its place, and for what is no whole picture of 8 bits; it names the file.
 */
export async function readColourMask(
  source: Source,
  ids: ColourIds,
): Promise<{ width: number; height: number; data: Uint8Array }> {
  const bytes = await read(source, 'a mask');
  const path = nameOf(source);
  return decodeWith(path, 'a mask', async () => {
    const { source: picture, depth } = await openPicture(path, bytes);
    if (depth !== 'uchar')
      throw new UserError(`${path}: expected a mask of colours in 8 bits, got ${depth}; save it in 8 bits`, {
        path,
      });
    const { width, height, data } = await bandsOf(picture.removeAlpha(), 'srgb');
    const result = new Uint8Array(width * height);
    let [last, lastId] = [-1, 0];
    for (let i = 0, at = 0; i < result.length; i++, at += 3) {
      const colour = (data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!;
      if (colour !== last) {
        const id = ids.get(colour);
        if (id === undefined) throw undeclared(path, colour, i % width, Math.floor(i / width), ids);
        [last, lastId] = [colour, id];
      }
      result[i] = lastId;
    }
    return { width, height, data: result };
  });
}

/** A colour as `#rrggbb`. */
export function hexOf(colour: number): string {
  return `#${colour.toString(16).padStart(6, '0')}`;
}

function undeclared(path: string, colour: number, x: number, y: number, ids: ColourIds): UserError {
  const channels = [16, 8, 0].map((shift) => (colour >> shift) & 255);
  const near = [...ids.keys()].find((other) =>
    channels.every((value, i) => Math.abs(value - ((other >> (16 - 8 * i)) & 255)) <= 8),
  );
  const fix =
    near === undefined
      ? 'declare it in the palette, see --mask-palette'
      : `it is near ${hexOf(near)}: save masks without compression (png) and resize them to the nearest pixel`;
  return new UserError(
    `${path}: expected colours of the palette, got ${hexOf(colour)} (${channels.join(' ')}) at x ${x}, y ${y}; ${fix}`,
    { path, colour: hexOf(colour), x, y },
  );
}
