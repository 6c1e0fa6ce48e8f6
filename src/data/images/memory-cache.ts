import type { SampleCache } from './sample-cache.js';

/**
 * Keeps decoded samples in memory up to `maxBytes`; later samples are decoded again each time.
 *
 * Nothing is evicted: an epoch visits each sample once, and a cache that drops the oldest would hit nothing. The memory is
 * shared (`SharedArrayBuffer`): worker threads read it without a copy, and so do several trials that are given one cache.
 *
 * @example
 * decode(224, { cache: memoryCache({ maxBytes: 2 ** 30 }) });
 */
export function memoryCache({
  maxBytes = 2 ** 30,
}: {
  readonly maxBytes?: number | undefined;
} = {}): SampleCache {
  const entries = new Map<string, readonly Uint8Array[]>();
  let bytes = 0;
  return {
    get: async (key) => entries.get(key),
    set: async (key, parts) => {
      const size = parts.reduce((sum, { length }) => sum + length, 0);
      if (entries.has(key)) return true;
      if (bytes + size > maxBytes) return false;
      bytes += size;
      const memory = new SharedArrayBuffer(size);
      let end = 0;
      entries.set(
        key,
        parts.map((part) => {
          const own = new Uint8Array(memory, end, part.length);
          own.set(part);
          end += part.length;
          return own;
        }),
      );
      return true;
    },
  };
}
