import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { fetchBytes } from './fetch-bytes.js';
import { isAddress } from './http.js';

/** Reads some bytes of a file, fewer at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** What is read at once, in bytes: of a disk a little, of a server as much as is worth a request. */
const CHUNK: Chunk = { least: 2 ** 16, most: 2 ** 16 };
const FAR_CHUNK: Chunk = { least: 2 ** 18, most: 2 ** 23 };

interface Chunk {
  readonly least: number;
  readonly most: number;
}

/**
 * Opens a local file or an http(s) address for reading here and there; close it when done.
 *
 * @param what what is expected of it, for messages: `a tar archive`
 * @throws UserError for a file that cannot be opened
 */
export async function openAt(
  file: string,
  what: string,
): Promise<{ readAt: ReadAt; close(): Promise<void> }> {
  if (isAddress(file))
    return {
      readAt: (offset, length) => fetchBytes(file, { offset, length, atMost: true }),
      close: async () => {},
    };
  const handle: FileHandle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(`${file}: expected ${what}, got ${whatIsThere(cause)}`, { path: file }, { cause });
  });
  return {
    readAt: async (offset, length) => {
      const bytes = Buffer.alloc(length);
      const { bytesRead } = await handle.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    },
    close: () => handle.close(),
  };
}

/**
 * Reads a chunk of a file at a time, from which what follows is served: for reading forwards. Chunks of a server grow
 * while little between them is passed over.
 */
export function ahead(read: ReadAt, file: string): ReadAt {
  const { least, most } = isAddress(file) ? FAR_CHUNK : CHUNK;
  let chunk = least;
  let [start, bytes] = [0, Buffer.alloc(0) as Buffer];
  return async (offset, length) => {
    const end = start + bytes.length;
    if (offset < start || offset + length > end) {
      chunk = end > 0 && offset - end < chunk ? Math.min(most, 2 * chunk) : least;
      [start, bytes] = [offset, await read(offset, Math.max(chunk, length))];
    }
    return bytes.subarray(offset - start, offset - start + length);
  };
}
