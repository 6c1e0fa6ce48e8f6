import { createHash } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { say } from '../../base/say.js';
import { removeUnfinished } from '../../files/atomic.js';
import { CacheSegment, removeSegment, SAMPLES } from './cache-segment.js';
import type { SampleCache } from './sample-cache.js';

/** A file of the format before segments: one a sample. */
const EARLIER = /^[0-9a-f]{64}\.sample$/;

/** A segment that was not used for so long makes room for others. */
const STALE = 7 * 24 * 3600 * 1000;

/**
 * Keeps decoded samples in a folder, for later runs, too: one file that only grows for each process that added samples,
 * beside its index. A sample is checked against its checksum once in a process; one that fails is decoded again.
 *
 * Above `maxBytes` nothing more is kept, except in place of what no run has used for a week. Files of an earlier format are
 * removed, with a line on standard error.
 *
 * @example
 * decode(224, { cache: diskCache('.cache/millrace', { maxBytes: 2 ** 33 }) });
 */
export function diskCache(
  dir: string,
  { maxBytes = 2 ** 35 }: { readonly maxBytes?: number | undefined } = {},
): SampleCache {
  const cache = new DiskCache(dir, maxBytes);
  return { get: (key, lengths) => cache.get(key, lengths), set: (key, parts) => cache.set(key, parts) };
}

class DiskCache implements SampleCache {
  #opened: Promise<void> | undefined;
  readonly #segments: CacheSegment[] = [];
  #own: CacheSegment | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  /** Whether the folder cannot be written: that costs time, not results. */
  #failed = false;

  constructor(
    private readonly dir: string,
    private readonly maxBytes: number,
  ) {}

  async get(key: string, lengths: readonly number[]): Promise<readonly Uint8Array[] | undefined> {
    await this.#open();
    const digest = digestOf(key).toString('hex');
    const length = lengths.reduce((a, b) => a + b, 0);
    for (const segment of this.#segments) {
      const bytes = await segment.read(digest, length).catch(() => undefined);
      if (!bytes) continue;
      let end = 0;
      return lengths.map((size) => bytes.subarray(end, (end += size)));
    }
    return undefined;
  }

  async set(key: string, parts: readonly Uint8Array[]): Promise<boolean> {
    await this.#open();
    const kept = this.#writing.then(() => this.#append(digestOf(key), parts));
    this.#writing = kept;
    return kept;
  }

  async #append(digest: Buffer, parts: readonly Uint8Array[]): Promise<boolean> {
    const hex = digest.toString('hex');
    if (this.#segments.some((segment) => segment.has(hex))) return true;
    const size = parts.reduce((sum, { length }) => sum + length, 0);
    if (this.#failed || !(await this.#makeRoom(size))) return false;
    try {
      if (!this.#own) {
        this.#own = await CacheSegment.create(this.dir);
        this.#segments.push(this.#own);
      }
      await this.#own.append(digest, parts);
      return true;
    } catch {
      this.#failed = true;
      return false;
    }
  }

  /** Whether so many bytes may be added, removing what is stale if need be. */
  async #makeRoom(size: number): Promise<boolean> {
    const total = () => this.#segments.reduce((sum, { bytes }) => sum + bytes, size);
    const stale = this.#segments
      .filter((segment) => segment !== this.#own && Date.now() - segment.usedAt > STALE)
      .toSorted((a, b) => a.usedAt - b.usedAt);
    while (total() > this.maxBytes) {
      const oldest = stale.shift();
      if (!oldest) return false;
      this.#segments.splice(this.#segments.indexOf(oldest), 1);
      await oldest.remove();
    }
    return true;
  }

  /** Reads the indices, once. */
  #open(): Promise<void> {
    this.#opened ??= (async () => {
      await removeUnfinished(this.dir, { ownFiles: false });
      const names = await readdir(this.dir).catch(() => []);
      let removed = 0;
      for (const name of names) {
        const path = join(this.dir, name);
        if (EARLIER.test(name)) {
          await unlink(path).catch(() => {});
          removed++;
        } else if (name.endsWith(SAMPLES)) {
          // One that is being made has no whole index yet.
          const segment = await CacheSegment.open(path).catch(() => null);
          if (segment) this.#segments.push(segment);
          if (segment !== undefined) continue;
          await removeSegment(path);
          removed++;
        }
      }
      if (removed > 0)
        say(`${this.dir}: removed ${removed} cache files of another version; pictures are decoded again`);
      closeLater.register(this, this.#segments);
    })();
    return this.#opened;
  }
}

/** Closes the files of a cache that nobody holds any more. */
const closeLater = new FinalizationRegistry((segments: CacheSegment[]) => {
  for (const segment of segments) void segment.close().catch(() => {});
});

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
