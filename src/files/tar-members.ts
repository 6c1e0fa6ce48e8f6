import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { fetchBytes } from './fetch-bytes.js';
import { isAddress } from './http.js';
import {
  BLOCK,
  broken,
  type Extension,
  entryOf,
  extension,
  isEnd,
  isExtension,
  isRegular,
  MOST_ENTRIES,
  pathOf,
  safe,
} from './tar-header.js';

/** Where a regular file lies in a tar archive. */
export interface TarMember {
  readonly path: string;
  /** The first byte of its contents. */
  readonly offset: number;
  readonly size: number;
}

/** Reads some bytes of a file, fewer at its end. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** What is read at once: of a disk a little, of a server as much as is worth a request. */
const CHUNK = 2 ** 16;
const FAR_CHUNK = 2 ** 20;

/**
 * The regular files of a tar archive and where they lie, without reading what they contain.
 *
 * @throws UserError as `tarFiles`
 */
export async function* tarMembers(readAt: ReadAt, name: string): AsyncGenerator<TarMember> {
  const take = async (offset: number, length: number) => {
    const bytes = await readAt(offset, length);
    if (bytes.length < length) throw broken(name, 'an end in the middle');
    return bytes;
  };
  let long: Extension = {};
  for (let at = 0, entries = 0; ; entries++) {
    if (entries > MOST_ENTRIES) throw broken(name, `more than ${MOST_ENTRIES} entries`);
    const header = await take(at, BLOCK);
    if (isEnd(header)) return;
    const { type, size } = entryOf(header, long, name);
    const offset = at + BLOCK;
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (isExtension(type)) long = { ...long, ...extension(type, await take(offset, size), name) };
    else {
      const path = pathOf(header, long);
      long = {};
      if (isRegular(type)) yield { path: safe(path, name), offset, size };
    }
  }
}

/** Opens a local file or an http(s) address for reading here and there, forwards; close it when done. */
export async function openAt(file: string): Promise<{ readAt: ReadAt; close(): Promise<void> }> {
  if (isAddress(file))
    return {
      readAt: ahead((offset, length) => fetchBytes(file, { offset, length, atMost: true }), FAR_CHUNK),
      close: async () => {},
    };
  const handle: FileHandle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    const got = whatIsThere(cause);
    throw new UserError(`${file}: expected a tar archive, got ${got}`, { path: file }, { cause });
  });
  const read: ReadAt = async (offset, length) => {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
  return { readAt: ahead(read, CHUNK), close: () => handle.close() };
}

/** Reads a chunk at a time, from which what follows is served. */
function ahead(read: ReadAt, chunk: number): ReadAt {
  let [start, bytes] = [0, Buffer.alloc(0) as Buffer];
  return async (offset, length) => {
    if (offset < start || offset + length > start + bytes.length)
      [start, bytes] = [offset, await read(offset, Math.max(chunk, length))];
    return bytes.subarray(offset - start, offset - start + length);
  };
}
