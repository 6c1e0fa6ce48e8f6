import type { ReadAt } from './read-at.js';
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
