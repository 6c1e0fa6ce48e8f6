import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { UserError } from '../base/errors.js';

/** One regular file of a tar archive, whole. */
export interface TarFile {
  readonly path: string;
  readonly data: Uint8Array;
}

const BLOCK = 512;

/** The largest accepted file in bytes: one file at a time is held in memory. */
const LARGEST = 2 ** 26;

/** The largest accepted extended header in bytes: paths are at most a few thousand. */
const LARGEST_HEADER = 2 ** 20;

/** The most entries of an archive: a few times those of ImageNet. */
const MOST_ENTRIES = 5_000_000;

/** The longest name in bytes that file systems accept. */
const LONGEST_NAME = 255;

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
  let long: { path?: string; size?: number } = {};
  for (let entries = 0; ; entries++) {
    if (entries > MOST_ENTRIES) throw broken(name, `more than ${MOST_ENTRIES} entries`);
    const header = await take(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    verify(header, name);
    const type = String.fromCharCode(header[156]!);
    const size = 'xgL'.includes(type) ? number(header, 124, 12) : (long.size ?? number(header, 124, 12));
    if (!(size >= 0 && size <= LARGEST)) throw broken(name, `a file of ${size} bytes`);
    if ('xgL'.includes(type) && size > LARGEST_HEADER) throw broken(name, `a header of ${size} bytes`);
    const data = (await take(Math.ceil(size / BLOCK) * BLOCK)).subarray(0, size);
    if (type === 'x') long = { ...long, ...pax(data, name) };
    else if (type === 'L') long = { ...long, path: text(data, 0, size) };
    else if (type !== 'g') {
      const prefix = text(header, 257, 5) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
      const path = long.path ?? (prefix ? `${prefix}/` : '') + text(header, 0, 100);
      long = {};
      if (type === '0' || type === '\0') yield { path: safe(path, name), data };
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

/** Whether a header's bytes, its checksum field counted as blanks, sum to the checksum. */
function verify(header: Buffer, name: string): void {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
  if (sum !== number(header, 148, 8)) throw broken(name, 'a header whose checksum is wrong');
}

/** An octal number, or a binary one if the first bit is set (GNU, for large files). */
function number(header: Buffer, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) return Number(header.readBigUInt64BE(at + length - 8));
  const digits = text(header, at, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
}

function text(bytes: Buffer, at: number, length: number): string {
  const end = bytes.subarray(at, at + length).indexOf(0);
  return bytes.toString('utf8', at, end < 0 ? at + length : at + end);
}

/** The records of a pax header: "<length> <key>=<value>\n" each. */
function pax(data: Buffer, name: string): { path?: string; size?: number } {
  const attributes: { path?: string; size?: number } = {};
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(32, at);
    const length = Number(data.toString('latin1', at, blank));
    if (blank < 0 || !Number.isInteger(length) || length <= blank - at)
      throw broken(name, 'a bad pax header');
    const record = data.toString('utf8', blank + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (record.startsWith('path=')) attributes.path = record.slice(equals + 1);
    if (record.startsWith('size=')) attributes.size = Number(record.slice(equals + 1));
    at += length;
  }
  return attributes;
}

function safe(path: string, name: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const escapes =
    /^([/\\]|[a-z]:)/i.test(path) || path.includes('\0') || parts.some((part) => /^\.\.$|\\/.test(part));
  if (escapes || parts.length === 0)
    throw new UserError(
      `${name}: expected paths below the archive's root, got ${JSON.stringify(path)}; do not trust it`,
      {
        path,
      },
    );
  const long = parts.find((part) => Buffer.byteLength(part) > LONGEST_NAME);
  if (long !== undefined)
    throw new UserError(
      `${name}: expected names of at most ${LONGEST_NAME} bytes, got ${Buffer.byteLength(long)} in ${JSON.stringify(`${long.slice(0, 40)}…`)}`,
      { path },
    );
  return parts.join('/');
}

function broken(name: string, got: string): UserError {
  return new UserError(`${name}: expected a tar archive, got ${got}; fetch it again`, { path: name });
}
