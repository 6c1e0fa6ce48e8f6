import { UserError } from '../../base/errors.js';

/** Tags of TIFF's directories (TIFF 6.0, section 8). */
export const TAGS = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  photometric: 262,
  channels: 277,
} as const;
const SHORT = 3;
const UNCOMPRESSED = 1;
/** Colours of which some pixels share, so that they have fewer bytes. */
const YCBCR = 6;

/**
 * Refuses a TIFF whose pixels are not compressed and are more than the file has bytes for: libtiff takes what is missing for
 * zeros. Other files pass, BigTIFF among them.
 *
 * @throws UserError naming the file.
 */
export function checkTiff(path: string, bytes: Buffer): void {
  const mark = bytes.toString('latin1', 0, 4);
  if (mark !== 'II*\0' && mark !== 'MM\0*') return;
  const tags = firstDirectory(bytes, mark === 'II*\0');
  const value = (tag: number, otherwise: number) => tags.get(tag) ?? otherwise;
  if (value(TAGS.compression, UNCOMPRESSED) !== UNCOMPRESSED || value(TAGS.photometric, 0) === YCBCR) return;
  const row = Math.ceil((value(TAGS.width, 0) * value(TAGS.channels, 1) * value(TAGS.bits, 1)) / 8);
  const needed = row * value(TAGS.height, 0);
  if (needed > bytes.length)
    throw new UserError(
      `${path}: expected a whole TIFF of ${needed} bytes of pixels, got a file of ${bytes.length}; replace it`,
      { path },
    );
}

/** The first value of each tag of a TIFF's first directory that is a whole number (TIFF 6.0, section 2). */
export function firstDirectory(bytes: Buffer, little: boolean): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tags = new Map<number, number>();
  const fits = (at: number, length: number) => at + length <= bytes.length;
  const start = fits(4, 4) ? view.getUint32(4, little) : bytes.length;
  const count = fits(start, 2) ? view.getUint16(start, little) : 0;
  for (let at = start + 2; at < start + 2 + 12 * count && fits(at, 12); at += 12) {
    const isShort = view.getUint16(at + 2, little) === SHORT;
    // More than two short values, or one long one, lie elsewhere: the value is where.
    const pointsElsewhere = view.getUint32(at + 4, little) > (isShort ? 2 : 1);
    const place = pointsElsewhere ? view.getUint32(at + 8, little) : at + 8;
    if (!fits(place, 4)) continue;
    tags.set(
      view.getUint16(at, little),
      isShort ? view.getUint16(place, little) : view.getUint32(place, little),
    );
  }
  return tags;
}
