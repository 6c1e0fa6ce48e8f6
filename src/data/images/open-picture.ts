import type { Sharp } from 'sharp';
import { UserError } from '../../base/errors.js';
import { loadSharp } from '../../base/sharp.js';
import { checkTiff } from './check-tiff.js';

/**
 * The most pixels of a picture, above which it is refused before it is unpacked: Pillow's limit for decompression
 * bombs.
 */
export const MOST_PIXELS = 89_478_485;

/** A picture that sharp is about to decode. */
export interface OpenPicture {
  readonly source: Sharp;
  /** Its colour space, in libvips's words. */
  readonly space: string;
  readonly channels: number;
  readonly depth: 'uchar' | 'ushort';
  readonly bits: number | undefined;
}

/** Opens a picture, and refuses one that is truncated, too large, or whose pixels are not integers. */
export async function openPicture(path: string, bytes: Buffer): Promise<OpenPicture> {
  checkTiff(path, bytes);
  const sharp = loadSharp();
  const source = sharp(bytes, {
    failOn: 'truncated',
    autoOrient: true,
    ignoreIcc: true,
    limitInputPixels: MOST_PIXELS,
  });
  const { format, space = 'srgb', channels = 3, depth, bitsPerSample: bits } = await source.metadata();
  if (format === 'svg')
    throw new UserError(`${path}: expected pixels, got an SVG drawing; convert the file`, { path });
  if (depth !== 'uchar' && depth !== 'ushort')
    throw new UserError(`${path}: expected 8 or 16-bit integer pixels, got ${depth}; convert the file`, {
      path,
    });
  if (space === 'cmyk' && depth !== 'uchar')
    throw new UserError(`${path}: expected CMYK of 8 bits, got 16; convert the file`, { path });
  if (channels > (space === 'cmyk' ? 5 : 4))
    throw new UserError(`${path}: expected at most 4 bands, got ${channels}; keep three of them`, {
      path,
      channels,
    });
  return { source, space, channels, depth, bits };
}

/** All bands of a picture, in 16 bits if it has them or `space` is one of 16 bits. */
export async function bandsOf(
  source: Sharp,
  space: 'srgb' | 'rgb16' | 'grey16' | 'cmyk',
): Promise<{ width: number; height: number; channels: number; data: Uint8Array | Uint16Array }> {
  const wide = space.endsWith('16');
  const { data, info } = await source
    .toColourspace(space)
    .raw({ depth: wide ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
  if (!wide) return { width, height, channels, data: bytes };
  const aligned = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return {
    width,
    height,
    channels,
    data: new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1),
  };
}

/** Turns any error of decoding into one line that names the file. */
export async function decodeWith<T>(path: string, what: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const why = (cause instanceof Error ? cause.message : String(cause)).split('\n')[0];
    throw new UserError(
      `${path}: expected ${what}, got a file that cannot be decoded (${why}); replace it`,
      { path },
      { cause },
    );
  }
}
