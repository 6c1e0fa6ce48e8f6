import type { Sharp } from 'sharp';
import { UserError } from '../../base/errors.js';
import { loadSharp } from '../../base/sharp.js';
import { checkTiff } from './check-tiff.js';
import { isTiff, tiffPages } from './tiff-pages.js';

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

/** The most bands that sharp may open; those that may be kept are fewer. */
export const MOST_BANDS = 256;

/**
 * Opens a picture, and refuses one that is truncated, too large, whose pixels are not integers, or of which pages or bands
 * would be lost.
 */
export async function openPicture(path: string, bytes: Buffer): Promise<OpenPicture> {
  checkTiff(path, bytes);
  if (isTiff(bytes)) checkPages(path, bytes);
  const sharp = loadSharp();
  const source = sharp(bytes, {
    failOn: 'truncated',
    autoOrient: true,
    ignoreIcc: true,
    limitInputPixels: MOST_PIXELS,
    limitInputChannels: MOST_BANDS,
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
    throw new UserError(
      `${path}: expected at most 4 bands, got ${channels}; keep three of them, or give --channels ${channels} for all pictures`,
      {
        path,
        channels,
      },
    );
  return { source, space, channels, depth, bits };
}

/** @throws UserError for more pages than one, and for planes that libvips takes for a grey picture's rows. */
function checkPages(path: string, bytes: Buffer): void {
  const pages = tiffPages(path, bytes);
  const [first] = pages;
  if (pages.length > 1)
    throw new UserError(
      `${path}: expected one page, got ${pages.length}; where pages are channels, give --channels ${pages.reduce((sum, page) => sum + page.channels, 0)}, else save each as a file`,
      { path, pages: pages.length },
    );
  if (first?.planar && first.channels > 1 && first.photometric !== RGB)
    throw new UserError(
      `${path}: expected bands that lie together, got ${first.channels} one after another; save it pixel by pixel`,
      { path },
    );
}

/** A TIFF's colours by name. */
const RGB = 2;

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
