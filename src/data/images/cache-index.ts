import zlib from 'node:zlib';

/** The first bytes of an index: what it is, and the version of the format. */
const MAGIC = Buffer.from('millrace cache 2');

/** Where the bytes of a sample lie. */
export interface CacheEntry {
  readonly offset: number;
  readonly length: number;
  /** CRC-32 of the bytes. */
  readonly crc: number;
}

/** Bytes of a key's digest (SHA-256). */
export const DIGEST = 32;

/** Bytes of an entry: the digest, offset, length, CRC of the sample, CRC of the entry. */
const ENTRY = DIGEST + 8 + 4 + 4 + 4;

/** The beginning of an index file. */
export function indexHeader(): Buffer {
  return MAGIC;
}

/** One entry of an index file. */
export function indexEntry(digest: Buffer, { offset, length, crc }: CacheEntry): Buffer {
  const bytes = Buffer.alloc(ENTRY);
  digest.copy(bytes);
  bytes.writeDoubleLE(offset, DIGEST);
  bytes.writeUInt32LE(length, DIGEST + 8);
  bytes.writeUInt32LE(crc, DIGEST + 12);
  bytes.writeUInt32LE(zlib.crc32(bytes.subarray(0, ENTRY - 4)), ENTRY - 4);
  return bytes;
}

/**
 * The entries of an index file by their digest in hex; undefined for a file of another version. What was cut short, or is
 * damaged, ends it.
 */
export function readIndex(bytes: Buffer): Map<string, CacheEntry> | undefined {
  const start = bytes.subarray(0, MAGIC.length);
  if (!start.equals(MAGIC.subarray(0, start.length))) return undefined;
  const entries = new Map<string, CacheEntry>();
  for (let at = MAGIC.length; at + ENTRY <= bytes.length; at += ENTRY) {
    const entry = bytes.subarray(at, at + ENTRY);
    if (zlib.crc32(entry.subarray(0, ENTRY - 4)) !== entry.readUInt32LE(ENTRY - 4)) break;
    entries.set(entry.toString('hex', 0, DIGEST), {
      offset: entry.readDoubleLE(DIGEST),
      length: entry.readUInt32LE(DIGEST + 8),
      crc: entry.readUInt32LE(DIGEST + 12),
    });
  }
  return entries;
}
