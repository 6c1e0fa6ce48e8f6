import { UserError } from '../base/errors.js';

/** The bytes of a header; bodies begin at multiples of it. */
export const BLOCK = 512;

/** The largest accepted file in bytes: one file at a time is held in memory. */
const LARGEST = 2 ** 26;

/** The largest accepted extended header in bytes: paths are at most a few thousand. */
const LARGEST_HEADER = 2 ** 20;

/** The most entries of an archive: a few times those of ImageNet. */
export const MOST_ENTRIES = 5_000_000;

/** The longest name in bytes that file systems accept. */
const LONGEST_NAME = 255;

/** What extended headers (pax, GNU) say of the entry that follows them. */
export interface Extension {
  readonly path?: string;
  readonly size?: number;
}

/** Whether a header is the block of zeros that ends an archive. */
export function isEnd(header: Buffer): boolean {
  return header.every((byte) => byte === 0);
}

/**
 * The type of an entry and the size of its body.
 *
 * @throws UserError for a header whose checksum is wrong, and for a body larger than any data set has
 */
export function entryOf(header: Buffer, long: Extension, name: string): { type: string; size: number } {
  verify(header, name);
  const type = String.fromCharCode(header[156]!);
  const own = number(header, 124, 12);
  const size = isExtension(type) ? own : (long.size ?? own);
  if (!(size >= 0 && size <= LARGEST)) throw broken(name, `a file of ${size} bytes`);
  if (isExtension(type) && size > LARGEST_HEADER) throw broken(name, `a header of ${size} bytes`);
  return { type, size };
}

/** Whether an entry is about the one after it. */
export function isExtension(type: string): boolean {
  return 'xgL'.includes(type);
}

/** Whether an entry is a regular file. */
export function isRegular(type: string): boolean {
  return type === '0' || type === '\0';
}

/** What the body of an extended header says. */
export function extension(type: string, data: Buffer, name: string): Extension {
  if (type === 'x') return pax(data, name);
  return type === 'L' ? { path: text(data, 0, data.length) } : {};
}

/** The path of an entry, as it stands in the archive. */
export function pathOf(header: Buffer, long: Extension): string {
  const prefix = text(header, 257, 5) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
  return long.path ?? (prefix ? `${prefix}/` : '') + text(header, 0, 100);
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

/** A path that stays below the archive's root. @throws UserError for any other */
export function safe(path: string, name: string): string {
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

/** What is wrong with an archive. */
export function broken(name: string, got: string): UserError {
  return new UserError(`${name}: expected a tar archive, got ${got}; fetch it again`, { path: name });
}
