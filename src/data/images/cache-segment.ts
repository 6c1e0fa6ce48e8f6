import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { makeFolder } from '../../files/make-folder.js';
import { type CacheEntry, indexEntry, indexHeader, readIndex } from './cache-index.js';

/** The endings of a segment's two files: the samples, one after another, and where each of them lies. */
export const SAMPLES = '.samples';
const INDEX = '.index';

/**
 * What one process has added to a disk cache: a file of samples that only grows, and its index. Only its maker writes to it,
 * so processes that share a cache need no lock; an entry counts from when it stands in the index, which is after its bytes.
 */
export class CacheSegment {
  readonly #verified = new Set<CacheEntry>();
  #index: FileHandle | undefined;
  #used = false;
  #bytes: number;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    private readonly entries: Map<string, CacheEntry>,
    bytes: number,
    /** When it was last used before this process. */
    readonly usedAt: number,
  ) {
    this.#bytes = bytes;
  }

  /** Opens a segment of another process; undefined for one of another version. */
  static async open(path: string): Promise<CacheSegment | undefined> {
    const entries = readIndex(await readFile(withIndex(path)));
    if (!entries) return undefined;
    const { size, mtimeMs } = await stat(path);
    return new CacheSegment(path, await open(path, 'r'), entries, size, mtimeMs);
  }

  /** Begins a segment of this process. */
  static async create(dir: string): Promise<CacheSegment> {
    makeFolder(dir);
    const path = join(dir, `${process.pid}-${randomBytes(6).toString('hex')}${SAMPLES}`);
    const index = await open(withIndex(path), 'wx');
    await index.write(indexHeader());
    const segment = new CacheSegment(path, await open(path, 'wx+'), new Map(), 0, Date.now());
    segment.#index = index;
    segment.#used = true;
    return segment;
  }

  /** Bytes of its samples. */
  get bytes(): number {
    return this.#bytes;
  }

  has(digest: string): boolean {
    return this.entries.has(digest);
  }

  /**
   * The bytes of a sample; undefined where there is none of this length. The first time they are compared with their
   * checksum, and not again.
   */
  async read(digest: string, length: number): Promise<Uint8Array | undefined> {
    const entry = this.entries.get(digest);
    if (entry?.length !== length) return undefined;
    const bytes = new Uint8Array(length);
    const { bytesRead } = await this.file.read(bytes, 0, length, entry.offset);
    const sound = bytesRead === length && (this.#verified.has(entry) || zlib.crc32(bytes) === entry.crc);
    if (!sound) {
      this.entries.delete(digest);
      return undefined;
    }
    this.#verified.add(entry);
    if (!this.#used) await utimes(this.path, new Date(), new Date()).catch(() => {});
    this.#used = true;
    return bytes;
  }

  /** Adds a sample; one call at a time. @throws as `write` does, where the drive is full. */
  async append(digest: Buffer, parts: readonly Uint8Array[]): Promise<void> {
    const offset = this.#bytes;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const crc = parts.reduce((sum, part) => zlib.crc32(part, sum), 0);
    let at = offset;
    for (const part of parts) {
      const { bytesWritten } = await this.file.write(part, 0, part.length, at);
      if (bytesWritten < part.length) throw new Error(`${this.path}: no room`);
      at += part.length;
    }
    const entry = { offset, length, crc };
    await this.#index!.write(indexEntry(digest, entry));
    this.#bytes = at;
    this.entries.set(digest.toString('hex'), entry);
    this.#verified.add(entry);
  }

  /** Closes its files. */
  async close(): Promise<void> {
    await Promise.all([this.file.close(), this.#index?.close()]);
  }

  /** Removes it; a process that reads it keeps it until it ends. */
  async remove(): Promise<void> {
    await this.close();
    await removeSegment(this.path);
  }
}

/** Removes the files of a segment. */
export async function removeSegment(path: string): Promise<void> {
  await Promise.all([path, withIndex(path)].map((file) => unlink(file).catch(() => {})));
}

function withIndex(path: string): string {
  return path.slice(0, -SAMPLES.length) + INDEX;
}
