import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { UserError } from '../base/errors.js';
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

/** One regular file of a tar archive, whole. */
export interface TarFile {
  readonly path: string;
  readonly data: Uint8Array;
}

/**
 * The regular files of a tar stream (POSIX ustar and pax, GNU long names), one after another, in their order.
 * Folders and links are passed over. `name` is what error messages call the archive.
 *
 * Every path is relative and stays below its root: an absolute one, or one with `..`, is an error, so that joining it
 * to a folder is safe.
 *
 * @throws UserError for an archive that is truncated or corrupt, that holds an unsafe path, or that is larger than any data
 *   set: a file above 64 MiB, or more than five million entries
 */
export async function* tarFiles(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<TarFile> {
  const take = reader(source, name);
  let long: Extension = {};
  for (let entries = 0; ; entries++) {
    if (entries > MOST_ENTRIES) throw broken(name, `more than ${MOST_ENTRIES} entries`);
    const header = await take(BLOCK);
    if (isEnd(header)) return;
    const { type, size } = entryOf(header, long, name);
    const data = (await take(Math.ceil(size / BLOCK) * BLOCK)).subarray(0, size);
    if (isExtension(type)) long = { ...long, ...extension(type, data, name) };
    else {
      const path = pathOf(header, long);
      long = {};
      if (isRegular(type)) yield { path: safe(path, name), data };
    }
  }
}

/** The regular files of a `.tar.gz` file: `tarFiles` over what gzip unpacks. */
export async function* tarGzFiles(path: string): AsyncGenerator<TarFile> {
  const packed = createReadStream(path);
  const unpacked = createGunzip();
  packed.on('error', (error) => unpacked.destroy(error));
  try {
    yield* tarFiles(packed.pipe(unpacked), path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('Z_')) throw error;
    throw new UserError(
      `${path}: expected a gzip archive, got ${code}; fetch it again`,
      { path },
      { cause: error },
    );
  } finally {
    packed.destroy();
    unpacked.destroy();
  }
}

/** Reads an exact number of bytes from a stream of chunks. */
function reader(source: AsyncIterable<Uint8Array>, name: string): (bytes: number) => Promise<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return async (bytes) => {
    const parts = [rest];
    let bufferedBytes = rest.length;
    while (bufferedBytes < bytes) {
      const next = await chunks.next();
      if (next.done) throw broken(name, 'an end in the middle');
      parts.push(Buffer.from(next.value));
      bufferedBytes += next.value.length;
    }
    const all = parts.length === 1 ? rest : Buffer.concat(parts);
    rest = all.subarray(bytes);
    return all.subarray(0, bytes);
  };
}
