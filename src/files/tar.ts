import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { UserError } from '../base/errors.js';
import type { ReadAt } from './read-at.js';
import { broken } from './tar-header.js';
import { tarMembers } from './tar-members.js';

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
  const readAt = forward(source, name);
  for await (const { path, offset, size } of tarMembers(readAt, name))
    yield { path, data: await readAt(offset, size) };
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

/** Reads a stream of chunks by place, forwards only. @throws UserError where it ends before. */
function forward(source: AsyncIterable<Uint8Array>, name: string): ReadAt {
  const chunks = source[Symbol.asyncIterator]();
  let [start, rest] = [0, Buffer.alloc(0) as Buffer];
  return async (offset, length) => {
    const parts = [rest];
    let end = start + rest.length;
    while (end < offset + length) {
      const next = await chunks.next();
      if (next.done) throw broken(name, 'an end in the middle');
      // What was passed over is let go.
      if (end <= offset) [start, parts.length] = [end, 0];
      parts.push(Buffer.from(next.value));
      end += next.value.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const first = offset - start;
    [start, rest] = [offset + length, all.subarray(first + length)];
    return all.subarray(first, first + length);
  };
}
