import { readFile } from 'node:fs/promises';
import { decode as decodePng } from 'fast-png';
import sharp, { type Sharp } from 'sharp';
import { UserError } from '../errors.js';

/** RGB bytes, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Decodes an image file to RGB bytes, by its content and not by its name: the bytes of PIL's `convert('RGB')`.
 *
 * EXIF orientation is applied; grey and CMYK become RGB, 16 bits become 8, alpha is dropped, embedded colour profiles
 * are ignored (pretrained models saw their images so), and of an animation the first frame is taken.
 *
 * @throws UserError for what is no whole image of integer pixels; it names the file.
 */
export async function readImage(path: string): Promise<Pixels> {
  const bytes = await readBytes(path, 'an image');
  return decodeWith(path, 'an image', async () => {
    const { source } = await open(path, bytes);
    const { data, info } = await source
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data };
  });
}

/**
 * Decodes a mask file to the ids that it stores: palette indices or grey values.
 *
 * PNG is read with its palette indices intact, at 1, 2, 4, 8 or 16 bits. Other formats, and PNG in colour, must be grey
 * pictures: their ids are the grey values.
 *
 * @throws UserError for what is no whole mask; it names the file.
 */
export async function readMask(
  path: string,
): Promise<{ width: number; height: number; data: Uint8Array | Uint16Array }> {
  const bytes = await readBytes(path, 'a mask');
  return decodeWith(path, 'a mask', async () => {
    if (isPng(bytes)) {
      if (bytes[24]! < 8 && bytes[28] === 1)
        throw new UserError(
          `${path}: expected a mask without interlacing, got an interlaced one of ${bytes[24]} bits; save it plainly`,
          { path },
        );
      const { width, height, data, depth, channels } = decodePng(bytes, { checkCrc: true });
      if (data.length === 0) throw new Error('it has no pixels');
      const stored =
        depth < 8 ? unpack(data as Uint8Array, width, height, depth) : (data as Uint8Array | Uint16Array);
      return { width, height, data: onlyChannel(stored, channels, path) };
    }
    const { source, depth } = await open(path, bytes);
    const { data, info } = await source
      .toColourspace(depth === 'ushort' ? 'rgb16' : 'srgb')
      .raw({ depth })
      .toBuffer({ resolveWithObject: true });
    const stored = depth === 'ushort' ? new Uint16Array(new Uint8Array(data).buffer) : data;
    return { width: info.width, height: info.height, data: onlyChannel(stored, info.channels, path) };
  });
}

/** Opens what is neither truncated nor of pixels that are no whole numbers. */
async function open(path: string, bytes: Buffer): Promise<{ source: Sharp; depth: 'uchar' | 'ushort' }> {
  const source = sharp(bytes, { failOn: 'truncated', autoOrient: true, ignoreIcc: true });
  const { depth } = await source.metadata();
  if (depth === 'uchar' || depth === 'ushort') return { source, depth };
  throw new UserError(`${path}: expected 8 or 16-bit integer pixels, got ${depth}; convert the file`, {
    path,
  });
}

/** The one channel of a grey picture that may be stored in colour, and with alpha. */
function onlyChannel(
  data: Uint8Array | Uint16Array,
  channels: number,
  path: string,
): Uint8Array | Uint16Array {
  if (channels === 1) return data;
  const count = data.length / channels;
  const ids = data instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  for (let i = 0, at = 0; i < count; i++, at += channels) {
    ids[i] = data[at]!;
    if (channels > 2 && (data[at] !== data[at + 1] || data[at] !== data[at + 2]))
      throw new UserError(
        `${path}: expected a mask of one channel (palette or grey), got colours; save it with one id a pixel`,
        { path },
      );
  }
  return ids;
}

function isPng(bytes: Buffer): boolean {
  return bytes.length > 28 && bytes.readUInt32BE(0) === 0x89504e47;
}

async function readBytes(path: string, what: string): Promise<Buffer> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    const got =
      cause.code === 'EISDIR'
        ? 'a folder'
        : cause.code === 'ENOENT'
          ? 'nothing there'
          : (cause.code ?? cause.message);
    throw new UserError(`${path}: expected ${what}, got ${got}`, { path }, { cause });
  });
  if (bytes.length < 4)
    throw new UserError(`${path}: expected ${what}, got ${bytes.length} bytes; replace the file`, { path });
  return bytes;
}

async function decodeWith<T>(path: string, what: string, decode: () => Promise<T>): Promise<T> {
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

/** Bytes that hold several ids each, most significant bits first, rows starting on a byte: one id a byte. */
function unpack(packed: Uint8Array, width: number, height: number, depth: number): Uint8Array {
  const stride = Math.ceil((width * depth) / 8);
  const mask = 2 ** depth - 1;
  const ids = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      ids[y * width + x] = (packed[y * stride + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask;
    }
  return ids;
}
