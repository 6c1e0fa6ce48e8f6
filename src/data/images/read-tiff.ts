import { UserError } from '../../base/errors.js';
import { checkTiff } from './check-tiff.js';
import { MOST_PIXELS } from './open-picture.js';
import { isLittleEndian, type TiffPage, tiffPages } from './tiff-pages.js';

/** A picture's bands as they are stored, one value after another in each pixel. */
export interface Bands {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Bits of an integer that has no sign; 0 for any other type. */
  readonly depth: 8 | 16 | 0;
  readonly data: ArrayLike<number>;
}

/** The most bytes of a picture: those of an RGB picture of 16 bits that is as large as one may be. */
const MOST_BYTES = 3 * 2 * MOST_PIXELS;

/** Values of pixels that are what they are: grey from black, and RGB. */
const PLAIN: readonly number[] = [1, 2];

/**
 * Reads all bands of a TIFF, those of its first page before those of the second: strips or tiles, bands together or each by
 * itself, any integers or floats.
 *
 * @throws UserError for pages that differ in size, for pixels that are no plain values (palettes, inks, YCbCr), and for what is
 *   too large, cut short or turned.
 */
export async function readTiff(path: string, bytes: Buffer): Promise<Bands> {
  const pages = checkedPages(path, bytes);
  const { fromArrayBuffer } = await import('geotiff');
  const file = await fromArrayBuffer(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
  const { width, height } = pages[0]!;
  const channels = channelsIn(pages);
  const parts: ArrayLike<number>[] = [];
  for (const { index } of pages)
    parts.push(
      (await (await file.getImage(index)).readRasters({ interleave: true })) as unknown as ArrayLike<number>,
    );
  const data = parts.length === 1 ? parts[0]! : interleaved(parts, pages, width * height);
  if (data.length !== width * height * channels)
    throw new Error(`${data.length} values for ${channels} bands of ${width}×${height}`);
  return { width, height, channels, depth: depthOf(data), data };
}

/** The pages of a TIFF whose bands can be read. @throws UserError as `readTiff` does, by the header alone. */
export function checkedPages(path: string, bytes: Buffer): readonly [TiffPage, ...TiffPage[]] {
  checkTiff(path, bytes);
  const [first, ...others] = tiffPages(path, bytes);
  const fail = (expected: string, got: string, fix: string): never => {
    throw new UserError(`${path}: expected ${expected}, got ${got}; ${fix}`, { path });
  };
  if (!first) return fail('a TIFF', 'one whose pages cannot be found', 'replace it');
  const { width, height } = first;
  let size = 0;
  for (const page of [first, ...others]) {
    if (page.width !== width || page.height !== height)
      fail('pages of one size', `${width}×${height} and ${page.width}×${page.height}`, 'save them apart');
    if (!PLAIN.includes(page.photometric))
      fail(
        'grey values from black, or RGB',
        page.photometric === 3 ? 'a palette' : `a photometric interpretation ${page.photometric}`,
        'convert it',
      );
    if (page.orientation !== 1) fail('an upright picture', `orientation ${page.orientation}`, 'turn it');
    if (![8, 16, 32, 64].includes(page.bits))
      fail('values of 8, 16, 32 or 64 bits', `${page.bits}`, 'convert it');
    if (page.predicted && page.bits > 8 && !isLittleEndian(bytes))
      fail(
        'a file of little-endian numbers where they are stored as differences',
        'a big-endian one',
        'save it without a predictor, or little-endian',
      );
    size += (width * height * page.channels * page.bits) / 8;
    if (!(width > 0 && height > 0) || width * height > MOST_PIXELS || Math.max(size, page.block) > MOST_BYTES)
      fail(
        `1 to ${MOST_PIXELS} pixels of at most ${MOST_BYTES} bytes`,
        `${width}×${height} with ${channelsIn([first, ...others])} bands`,
        'cut it into smaller pictures',
      );
  }
  return [first, ...others];
}

/** The bands of all pages. */
export function channelsIn(pages: readonly TiffPage[]): number {
  return pages.reduce((sum, { channels }) => sum + channels, 0);
}

/** The bands of several pages side by side. */
function interleaved(
  parts: readonly ArrayLike<number>[],
  pages: readonly TiffPage[],
  pixels: number,
): ArrayLike<number> {
  const channels = channelsIn(pages);
  const integer = parts.every((part) => part instanceof Uint8Array)
    ? 8
    : parts.every((part) => part instanceof Uint16Array)
      ? 16
      : 0;
  const type = integer === 8 ? Uint8Array : integer === 16 ? Uint16Array : Float64Array;
  const data = new type(pixels * channels);
  let first = 0;
  pages.forEach(({ channels: own }, page) => {
    for (let pixel = 0; pixel < pixels; pixel++)
      for (let c = 0; c < own; c++) data[pixel * channels + first + c] = parts[page]![pixel * own + c]!;
    first += own;
  });
  return data;
}

function depthOf(data: ArrayLike<number>): Bands['depth'] {
  if (data instanceof Uint8Array) return 8;
  return data instanceof Uint16Array ? 16 : 0;
}
