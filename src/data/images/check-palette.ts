import { UserError } from '../../base/errors.js';
import { firstDirectory, TAGS } from './check-tiff.js';

/** A TIFF's pixels that are places in its colour map. */
const PALETTE = 3;
/** Bytes of a GIF's header before its global colours, and of an image's before its own. */
const SCREEN = 13;
const IMAGE = 10;

/**
 * Refuses a mask whose ids are places in the palette of a TIFF or GIF, since decoding gives the palette's colours. A GIF
 * whose palette has grey i at place i passes: there the two are one. Other formats pass, PNG among them.
 *
 * @throws UserError naming the file.
 */
export function checkPalette(path: string, bytes: Buffer): void {
  const what = isPaletteTiff(bytes) ? 'TIFF' : isPaletteGif(bytes) ? 'GIF' : undefined;
  if (what === undefined) return;
  throw new UserError(
    `${path}: expected a mask whose ids are grey values, or a PNG with a palette, got a ${what} with a palette; save it as PNG, which keeps the ids`,
    { path },
  );
}

function isPaletteTiff(bytes: Buffer): boolean {
  const mark = bytes.toString('latin1', 0, 4);
  if (mark !== 'II*\0' && mark !== 'MM\0*') return false;
  return firstDirectory(bytes, mark === 'II*\0').get(TAGS.photometric) === PALETTE;
}

/** Whether the first image of a GIF (GIF89a, sections 18 to 20) has colours other than grey i at place i. */
function isPaletteGif(bytes: Buffer): boolean {
  if (!/^GIF8[79]a$/.test(bytes.toString('latin1', 0, 6))) return false;
  let colours = coloursAt(bytes, SCREEN, bytes[10] ?? 0);
  for (let at = SCREEN + colours.length; at < bytes.length; ) {
    const block = bytes[at];
    if (block === 0x2c) {
      const own = coloursAt(bytes, at + IMAGE, bytes[at + IMAGE - 1] ?? 0);
      if (own.length > 0) colours = own;
      break;
    }
    if (block !== 0x21) break;
    // An extension: its label, and blocks that begin with their lengths, up to an empty one.
    at += 2;
    while ((bytes[at] ?? 0) > 0) at += 1 + bytes[at]!;
    at++;
  }
  // What follows the last colour is black up to a power of two.
  const last = colours.findLastIndex((byte) => byte !== 0);
  return colours.some((byte, i) => i <= last && byte !== Math.floor(i / 3));
}

/** The table of colours whose flags are these; empty if there is none. */
function coloursAt(bytes: Buffer, at: number, flags: number): Buffer {
  return flags & 0x80 ? bytes.subarray(at, at + 3 * 2 ** ((flags & 7) + 1)) : Buffer.alloc(0);
}
