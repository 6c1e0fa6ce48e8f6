import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { fetchBytes } from '../files/fetch-bytes.js';
import { isAddress } from '../files/http.js';
import { type Cell, readCell } from '../files/parquet/read-cell.js';
import { type Outlines, outlinesPng } from './outlines/outlines.js';

/** Bytes within a larger file, such as a member of a tar shard. */
export interface ByteRange {
  readonly kind: 'range';
  /** Path or http(s) address of the file. */
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** The size that the file must have, in bytes: another one has changed since. Default: any. */
  readonly total?: number | undefined;
  /** What messages call it, such as `shard.tar/dog.jpg`. */
  readonly name: string;
}

/** Bytes that are a value of a Parquet file. */
export interface ParquetCell extends Cell {
  readonly kind: 'cell';
  /** What messages call it. */
  readonly name: string;
}

/** Bytes in memory. */
export interface InMemory {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
  /** What messages call them. */
  readonly name: string;
}

/**
 * Where the bytes of an image or a mask are: the path or http(s) address of a file, a range of one, a value of a
 * Parquet file, memory, or, for a mask, shapes that are drawn. Plain data, so that an item may be sent to a worker thread.
 */
export type Source = string | ByteRange | ParquetCell | InMemory | Outlines;

/** A source that says which kind it is. */
type Kinded = Exclude<Source, string>;

/** The smallest file that could be a picture, in bytes. */
const LEAST = 4;

/** What is asked of each kind of source. */
interface Kind<S> {
  read(source: S): Promise<Buffer>;
  stamp(source: S): Promise<string> | string;
  /** Whether reading costs no transfer. */
  local(source: S): boolean;
}

const kinds: { readonly [K in Kinded['kind']]: Kind<Extract<Kinded, { kind: K }>> } = {
  range: {
    read: ({ file, offset, length, total }) =>
      isAddress(file) ? fetchBytes(file, { offset, length, total }) : readRange(file, offset, length, total),
    stamp: async ({ file, offset, length }) => `${await stampOf(file)}:${offset}:${length}`,
    local: ({ file }) => !isAddress(file),
  },
  cell: {
    read: readBytesOf,
    stamp: async ({ file, column, group, row }) => `${await stampOf(file)}:${column}:${group}:${row}`,
    local: ({ file }) => !isAddress(file),
  },
  bytes: {
    read: async ({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    stamp: ({ bytes }) => createHash('sha256').update(bytes).digest('hex'),
    local: () => true,
  },
  outlines: {
    read: outlinesPng,
    stamp: (outlines) => createHash('sha256').update(JSON.stringify(outlines)).digest('hex'),
    local: () => true,
  },
};

function kindOf<S extends Kinded>(source: S): Kind<S> {
  return kinds[source.kind] as unknown as Kind<S>;
}

/** What messages call a source: its path, address or name. */
export function nameOf(source: Source): string {
  return typeof source === 'string' ? source : source.name;
}

/** Whether the bytes of a source are on this machine. */
export function isLocal(source: Source): boolean {
  return typeof source === 'string' ? !isAddress(source) : kindOf(source).local(source);
}

/**
 * The bytes of a source: the one way in which images and masks are read, whatever they lie in.
 *
 * @param what what is expected, for messages: `an image`
 * @throws UserError naming the source, for what is missing, a folder, too short to be anything, or an address that does not answer.
 */
export async function read(source: Source, what: string): Promise<Buffer> {
  const name = nameOf(source);
  const bytes = await bytesOf(source).catch((cause: NodeJS.ErrnoException) => {
    if (cause instanceof UserError) throw cause;
    throw new UserError(`${name}: expected ${what}, got ${whatIsThere(cause)}`, { path: name }, { cause });
  });
  if (bytes.length < LEAST)
    throw new UserError(`${name}: expected ${what}, got ${bytes.length} bytes; replace the file`, {
      path: name,
    });
  return bytes;
}

function bytesOf(source: Source): Promise<Buffer> {
  if (typeof source !== 'string') return kindOf(source).read(source);
  return isAddress(source) ? fetchBytes(source) : readFile(source);
}

/** The identity of a source's contents, for caches: path, time and size of a file, and the place in it. */
export async function stampOf(source: Source): Promise<string> {
  if (typeof source !== 'string') return kindOf(source).stamp(source);
  if (isAddress(source)) return source;
  const stats = await stat(source).catch(() => undefined);
  return `${source}:${stats?.mtimeMs}:${stats?.size}`;
}

async function readBytesOf(cell: ParquetCell): Promise<Buffer> {
  const value = await readCell(cell);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length);
  const got = value === null ? 'null; leave the row out, or embed the picture' : typeof value;
  throw new UserError(`${cell.name}: expected the bytes of a picture, got ${got}`, { path: cell.file });
}

async function readRange(
  path: string,
  offset: number,
  length: number,
  total: number | undefined,
): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (total !== undefined && size !== total)
      throw new UserError(
        `${path}: expected a file of ${total} bytes, got ${size}; it was changed since it was indexed`,
        { path },
      );
    if (!(offset >= 0 && length >= 0 && offset + length <= size))
      throw new UserError(
        `${path}: expected bytes ${offset} to ${offset + length}, got a file of ${size}; it was changed since it was indexed`,
        { path },
      );
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, offset);
    return bytes;
  } finally {
    await file?.close();
  }
}
