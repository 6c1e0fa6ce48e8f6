import { UserError } from '../../base/errors.js';
import { TAGS } from './check-tiff.js';

/** A page of a TIFF, by its directory (TIFF 6.0, section 8). */
export interface TiffPage {
  /** Its place among all directories. */
  readonly index: number;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly channels: number;
  /** 1 = grey from black, 2 = RGB. */
  readonly photometric: number;
  /** Whether each channel lies by itself. */
  readonly planar: boolean;
  /** Whether the last channel is declared to be transparency. */
  readonly alpha: boolean;
  /** Whether values are stored as differences. */
  readonly predicted: boolean;
  readonly orientation: number;
  /** The most bytes that one strip or tile takes, unpacked. */
  readonly block: number;
}

const OWN_TAGS = {
  subfile: 254,
  orientation: 274,
  rowsPerStrip: 278,
  planar: 284,
  predictor: 317,
  tileWidth: 322,
  tileLength: 323,
  extra: 338,
} as const;

/** Bytes of the types of values: bytes, text, 16, 32 and 64 bits. */
const TYPE_BYTES: Readonly<Record<number, number>> = { 1: 1, 3: 2, 4: 4, 16: 8 };

/** The most directories that are read. */
const MOST_PAGES = 4096;

/** Whether bytes are those of a TIFF or BigTIFF. */
export function isTiff(bytes: Buffer): boolean {
  return /^(II[*+]\0|MM\0[*+])/.test(bytes.toString('latin1', 0, 4));
}

/** Whether a TIFF's numbers have their lowest byte first. */
export function isLittleEndian(bytes: Buffer): boolean {
  return bytes[0] === 0x49;
}

/**
 * The pages of a TIFF, without smaller copies of others and without masks of transparency. None where its directories cannot
 * be followed.
 *
 * @throws UserError for a stack of ImageJ that says that it holds more pictures than it has pages.
 */
export function tiffPages(path: string, bytes: Buffer): TiffPage[] {
  const directories = directoriesOf(bytes);
  const stacked = /images=(\d+)/.exec(imageJ(bytes))?.[1];
  if (stacked !== undefined && directories.length === 1 && Number(stacked) > 1)
    throw new UserError(
      `${path}: expected a page for each of ImageJ's ${stacked} pictures, got one page; save it as a TIFF of ordinary pages`,
      { path },
    );
  return directories.flatMap((tags, index) => {
    const value = (tag: number, otherwise: number) => tags.get(tag) ?? otherwise;
    // 1 is a smaller copy, 4 a mask of transparency.
    if ((value(OWN_TAGS.subfile, 0) & 5) !== 0) return [];
    const [width, height] = [value(TAGS.width, 0), value(TAGS.height, 0)];
    const [channels, bits] = [value(TAGS.channels, 1), value(TAGS.bits, 1)];
    const planar = value(OWN_TAGS.planar, 1) === 2;
    const columns = value(OWN_TAGS.tileWidth, width);
    const rows = value(OWN_TAGS.tileLength, Math.min(height, value(OWN_TAGS.rowsPerStrip, height)));
    const page = {
      index,
      width,
      height,
      bits,
      channels,
      photometric: value(TAGS.photometric, 1),
      planar,
      alpha: [1, 2].includes(value(OWN_TAGS.extra, 0)),
      predicted: value(OWN_TAGS.predictor, 1) !== 1,
      orientation: value(OWN_TAGS.orientation, 1),
      block: (columns * rows * (planar ? 1 : channels) * bits) / 8,
    };
    return [page];
  });
}

/** The beginning of a file that ImageJ wrote, where its description is; empty for others. */
function imageJ(bytes: Buffer): string {
  const at = bytes.indexOf('ImageJ=', 0, 'latin1');
  return at < 0 ? '' : bytes.toString('latin1', at, at + 256);
}

/** The first value of each tag that is a whole number, directory by directory. */
function directoriesOf(bytes: Buffer): Map<number, number>[] {
  const little = isLittleEndian(bytes);
  const big = bytes[little ? 2 : 3] === 0x2b;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fits = (at: number, length: number) => at >= 0 && at + length <= bytes.length;
  const long = (at: number) =>
    !fits(at, big ? 8 : 4)
      ? bytes.length
      : big
        ? Number(view.getBigUint64(at, little))
        : view.getUint32(at, little);
  const [head, entry, inline] = big ? [8, 20, 8] : [2, 12, 4];
  const result: Map<number, number>[] = [];
  const seen = new Set<number>();
  let start = long(big ? 8 : 4);
  while (fits(start, head) && start > 0 && !seen.has(start) && result.length < MOST_PAGES) {
    seen.add(start);
    const count = big ? long(start) : view.getUint16(start, little);
    const tags = new Map<number, number>();
    const end = Math.min(start + head + count * entry, bytes.length);
    for (let at = start + head; at + entry <= end; at += entry) {
      const type = view.getUint16(at + 2, little);
      const size = TYPE_BYTES[type];
      if (size === undefined) continue;
      const place = long(at + 4) * size > inline ? long(at + 4 + inline) : at + 4 + inline;
      if (!fits(place, size)) continue;
      tags.set(view.getUint16(at, little), firstValue(view, place, size, little));
    }
    result.push(tags);
    start = long(start + head + count * entry);
  }
  return result;
}

function firstValue(view: DataView, at: number, size: number, little: boolean): number {
  if (size === 1) return view.getUint8(at);
  if (size === 2) return view.getUint16(at, little);
  return size === 4 ? view.getUint32(at, little) : Number(view.getBigUint64(at, little));
}
