import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { named } from '../../base/named.js';
import { removeUnfinished, writeFileAtomic } from '../../files/atomic.js';

/**
 * Keeps the bytes of decoded samples (an image, and its mask where it has one) by a key that changes with the files, the
 * size and the classes.
 *
 * What is kept is never shared: `set` keeps a copy, and `get` gives one that its caller may change.
 */
export interface SampleCache {
  /** Copies of the parts of a key; undefined if they are not stored, or not with these lengths (bytes). */
  get(key: string, lengths: readonly number[]): Promise<Uint8Array[] | undefined>;
  /** Stores parts under a key if there is room. */
  set(key: string, parts: readonly Uint8Array[]): Promise<void>;
}

/**
 * Keeps decoded samples in memory up to `maxBytes`; later samples are decoded again each time.
 *
 * Nothing is evicted: an epoch visits each sample once, and a cache that drops the oldest would hit nothing.
 *
 * @example
 * decode(224, { cache: memoryCache({ maxBytes: 2 ** 30 }) });
 */
export function memoryCache({ maxBytes = 2 ** 30 }: { readonly maxBytes?: number } = {}): SampleCache {
  const entries = new Map<string, readonly Uint8Array[]>();
  let bytes = 0;
  return {
    get: async (key) => {
      const entry = entries.get(key);
      return entry?.map(copy);
    },
    set: async (key, parts) => {
      const size = sum(parts.map(({ length }) => length));
      if (entries.has(key) || bytes + size > maxBytes) return;
      bytes += size;
      entries.set(key, parts.map(copy));
    },
  };
}

/**
 * Keeps decoded samples in a folder, for later runs, too. An entry is written whole or not at all, and one whose
 * checksum is off is decoded again. What killed writers have left is removed at the first look-up.
 */
export function diskCache(dir: string): SampleCache {
  let sweep: Promise<void> | undefined;
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const file = (key: string) => join(dir, `${createHash('sha256').update(key).digest('hex')}.sample`);
  return {
    get: async (key, lengths) => {
      await (sweep ??= removeUnfinished(dir, { ownFiles: false }));
      const bytes = await readFile(file(key)).catch(() => undefined);
      if (bytes?.length !== sum(lengths) + 32) return undefined;
      const body = bytes.subarray(32);
      if (!digest(body).equals(bytes.subarray(0, 32))) return undefined;
      let end = 0;
      return lengths.map((length) => copy(body.subarray(end, (end += length))));
    },
    set: async (key, parts) => {
      const body = Buffer.concat(parts);
      // A cache that cannot be written costs time, not results; what a power failure cuts short fails its digest.
      await writeFileAtomic(file(key), Buffer.concat([digest(body), body]), { flush: false }).catch(() => {});
    },
  };
}

/** A copy; `slice` of a Node Buffer would be a view. */
function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** The caches by name; `dir` is where `disk` keeps its files, and `none` is no cache. */
export const caches = named('cache', {
  memory: (): SampleCache | undefined => memoryCache(),
  disk: (dir: string): SampleCache | undefined => diskCache(dir),
  none: (): SampleCache | undefined => undefined,
});
