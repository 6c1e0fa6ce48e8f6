import { UserError } from '../../base/errors.js';
import type { DeepPixels } from '../pixels/values.js';
import { nameOf, read, type Source } from '../source.js';
import { bandsOf, decodeWith, openPicture } from './open-picture.js';
import { checkChannels, FULL_SCALE, type PixelFormat } from './pixel-format.js';
import { type Bands, channelsIn, checkedPages, readTiff } from './read-tiff.js';
import { isTiff } from './tiff-pages.js';

/**
 * Reads a picture of 1 to N channels, of 8 or 16 bits, without losing any: the bands of a TIFF, or its pages, and all bands of
 * a PNG or JPEG, alpha among them.
 *
 * Values from `range` become 0 … 65535, and values beyond it its ends; NaN becomes 0. Without a range the whole range of 8
 * or 16 bits does.
 *
 * @throws UserError naming the file, for another number of channels, for other values than integers of 8 or 16 bits
 *   without a range, and for 16 bits that use at most 12 of them without one.
 * @example
 * const { data } = await readChannels('field.tif', { channels: 13, range: [0, 10_000] });
 */
export async function readChannels(source: Source, format: PixelFormat): Promise<DeepPixels> {
  const bytes = await read(source, 'an image');
  const path = nameOf(source);
  return decodeWith(path, 'an image', async () => {
    const bands = isTiff(bytes) ? await readTiff(path, bytes) : await readBands(path, bytes);
    checkChannels(path, format, bands.channels);
    const { width, height, channels } = bands;
    return { width, height, channels, data: fullScale(path, bands, format) };
  });
}

/** The width × height of a picture of these channels by its header. @throws UserError as `readChannels` does. */
export async function checkDeepImage(path: string, bytes: Buffer, format: PixelFormat): Promise<string> {
  return decodeWith(path, 'an image', async () => {
    if (isTiff(bytes)) {
      const pages = checkedPages(path, bytes);
      const what = pages.length > 1 ? `in ${pages.length} pages` : undefined;
      checkChannels(path, format, channelsIn(pages), what);
      return `${pages[0].width}×${pages[0].height}`;
    }
    const { source, channels } = await openPicture(path, bytes);
    checkChannels(path, format, channels);
    const { autoOrient } = await source.metadata();
    return `${autoOrient.width}×${autoOrient.height}`;
  });
}

/** All bands of what is no TIFF. */
async function readBands(path: string, bytes: Buffer): Promise<Bands> {
  const { source, space, depth } = await openPicture(path, bytes);
  if (space === 'cmyk')
    throw new UserError(`${path}: expected channels of light, got the inks of CMYK; convert it to RGB`, {
      path,
    });
  const grey = space === 'b-w' || space === 'grey16';
  const deep = depth === 'ushort';
  // Grey of 8 bits is read as 16: a grey picture's own space would drop further bands.
  const bands = await bandsOf(source, grey ? 'grey16' : deep ? 'rgb16' : 'srgb');
  if (deep) return { ...bands, depth: 16 };
  return { ...bands, data: grey ? bands.data.map((value) => value >> 8) : bands.data, depth: 8 };
}

/** Values as 16 bits of full scale. */
function fullScale(path: string, { data, depth }: Bands, { range }: PixelFormat): Uint16Array {
  if (!range) {
    if (depth === 8) return wide(data);
    if (depth === 16) return checkedDepth(path, data as Uint16Array);
    throw new UserError(
      `${path}: expected integers of 8 or 16 bits, got other numbers; give the values that become 0 and 1, such as --range 0,1`,
      { path },
    );
  }
  const [low, high] = range;
  if (depth === 8 && high > 255)
    throw new UserError(
      `${path}: expected values up to ${high} (--range ${low},${high}), got 8 bits, which end at 255; convert the file, or leave it out`,
      { path },
    );
  const unit = FULL_SCALE / (high - low);
  const result = new Uint16Array(data.length);
  // NaN passes both bounds and is stored as 0.
  for (let i = 0; i < result.length; i++)
    result[i] = Math.min(FULL_SCALE, Math.max(0, (data[i]! - low) * unit)) + 0.5;
  return result;
}

/** Bytes as 16 bits: 255 is 65535. */
function wide(bytes: ArrayLike<number>): Uint16Array {
  const result = new Uint16Array(bytes.length);
  for (let i = 0; i < result.length; i++) result[i] = bytes[i]! * 257;
  return result;
}

/** @throws UserError for 16 bits of which at most 12 are used. */
function checkedDepth(path: string, data: Uint16Array): Uint16Array {
  const most = data.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0 || most >= 2 ** 12) return data;
  throw new UserError(
    `${path}: expected 16-bit pixels from 0 to 65535, got at most ${most}, as of ${Math.ceil(Math.log2(most + 1))} bits, which would be nearly black; give --range 0,${2 ** Math.ceil(Math.log2(most + 1)) - 1}, or scale them up`,
    { path, most },
  );
}
