import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { named } from '../../base/named.js';
import { removeUnfinished, writeFileAtomic } from '../../files/atomic.js';

/** The pixels of one decoded sample. */
export interface Decoded {
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
}

/**
 * Keeps decoded samples by a key that changes with the files, the size and the classes.
 *
 * What is kept is never shared: `set` keeps a copy, and `get` gives one that its caller may change.
 */
export interface SampleCache {
  get(key: string, size: number): Promise<Decoded | undefined>;
  set(key: string, decoded: Decoded): Promise<void>;
}

/**
 * Keeps decoded samples in memory, until `maxBytes` are full; what comes later is decoded again each time.
 *
 * Nothing is evicted: an epoch visits each sample once, and a cache that drops the oldest would hit nothing.
 *
 * @example
 * decode(224, { cache: memoryCache({ maxBytes: 2 ** 30 }) });
 */
export function memoryCache({ maxBytes = 2 ** 30 }: { readonly maxBytes?: number } = {}): SampleCache {
  const kept = new Map<string, Decoded>();
  let bytes = 0;
  return {
    get: async (key) => {
      const found = kept.get(key);
      return found && copy(found);
    },
    set: async (key, decoded) => {
      const size = decoded.image.length + decoded.mask.length;
      if (kept.has(key) || bytes + size > maxBytes) return;
      bytes += size;
      kept.set(key, copy(decoded));
    },
  };
}

/**
 * Keeps decoded samples in a folder, for the runs to come too. An entry is written whole or not at all, and one
 * whose checksum is off is decoded again. What killed writers have left is removed at the first look-up.
 */
export function diskCache(dir: string): SampleCache {
  let swept: Promise<void> | undefined;
  const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const file = (key: string) => join(dir, `${createHash('sha256').update(key).digest('hex')}.sample`);
  return {
    get: async (key, size) => {
      await (swept ??= removeUnfinished(dir, { own: false }));
      const bytes = await readFile(file(key)).catch(() => undefined);
      const pixels = size * size;
      if (bytes?.length !== pixels * 4 + 32) return undefined;
      const body = bytes.subarray(32);
      if (!digest(body).equals(bytes.subarray(0, 32))) return undefined;
      return copy({ image: body.subarray(0, pixels * 3), mask: body.subarray(pixels * 3) });
    },
    set: async (key, { image, mask }) => {
      const body = Buffer.concat([image, mask]);
      // A cache that cannot be written costs time, not results; what a power failure cuts short fails its digest.
      await writeFileAtomic(file(key), Buffer.concat([digest(body), body]), { flush: false }).catch(() => {});
    },
  };
}

/** Not `slice`, which is a view where the bytes are a Node Buffer. */
function copy({ image, mask }: Decoded): Decoded {
  return { image: new Uint8Array(image), mask: new Uint8Array(mask) };
}

/** The caches by name; `dir` is where `disk` keeps its files, and `none` is no cache. */
export const caches = named('cache', {
  memory: (): SampleCache | undefined => memoryCache(),
  disk: (dir: string): SampleCache | undefined => diskCache(dir),
  none: (): SampleCache | undefined => undefined,
});

export const cacheNamed = (name: string, dir: string): SampleCache | undefined => caches.make(name, dir);
