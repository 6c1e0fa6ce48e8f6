import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { loadSharp } from '../../base/sharp.js';
import { whatIsThere } from '../../base/what-is-there.js';
import { isAddress } from '../../files/http.js';
import { nameOf, read, type Source } from '../source.js';
import { MOST_BANDS, openPicture } from './open-picture.js';
import { deepFormat, type PixelFormat } from './pixel-format.js';
import { checkDeepImage } from './read-channels.js';

/** The number of bytes at a file's end that must contain its end marker; some writers append notes. */
const TAIL = 65_536;

/**
 * Opens an image or a mask and reads its header and its end, or all of it where it is not a file of its own, so that a
 * broken one is found before the first step rather than hours later. Pixels are not decoded: damage inside a file shows
 * when it is read.
 *
 * @param pixels what images must be that are not RGB of 8 bits
 * @returns its width × height, as it is to be seen
 * @throws UserError naming the file, where it is broken or cut short
 */
export async function checkImage(source: Source, what: string, pixels?: PixelFormat): Promise<string> {
  const deep = deepFormat(pixels);
  if (deep) return checkDeepImage(nameOf(source), await read(source, what), deep);
  const path = nameOf(source);
  const bad = (got: string, cause?: unknown) =>
    new UserError(`${path}: expected ${what}, got ${got}; replace it`, { path }, { cause });
  let file: FileHandle | undefined;
  try {
    const inFile = typeof source === 'string' && !isAddress(source);
    const bytes = inFile ? undefined : await read(source, what);
    file = inFile ? await open(source) : undefined;
    const size = file ? (await file.stat()).size : bytes!.length;
    if (size < 4) throw bad(`${size} bytes`);
    const sharp = loadSharp();
    const { format, depth, width, height, autoOrient } = await sharp(bytes ?? path, {
      limitInputChannels: MOST_BANDS,
    })
      .metadata()
      .catch((cause: Error) => {
        throw bad(`a file that cannot be decoded (${cause.message.split('\n')[0]})`, cause);
      });
    if (depth !== 'uchar' && depth !== 'ushort')
      throw new UserError(`${path}: expected 8 or 16-bit integer pixels, got ${depth}; convert the file`, {
        path,
      });
    const end = bytes?.subarray(-TAIL) ?? Buffer.alloc(Math.min(TAIL, size));
    await file?.read(end, 0, end.length, size - end.length);
    // A TIFF may have bands or pages that would be lost.
    if (format === 'tiff') await openPicture(path, bytes ?? (await read(source, what)));
    const mark = END[format];
    if (mark && !end.includes(mark)) throw bad('one that is cut short');
    return `${autoOrient?.width ?? width}×${autoOrient?.height ?? height}`;
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw bad(whatIsThere(cause as NodeJS.ErrnoException), cause);
  } finally {
    await file?.close();
  }
}

/** The bytes that end a complete file: JPEG's EOI, PNG's IEND. */
const END: Partial<Record<string, Buffer>> = {
  jpeg: Buffer.from([0xff, 0xd9]),
  png: Buffer.from('IEND'),
};
