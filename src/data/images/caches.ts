import { named } from '../../base/named.js';
import { diskCache } from './disk-cache.js';
import { memoryCache } from './memory-cache.js';
import type { SampleCache } from './sample-cache.js';

/** The caches by name; `dir` is where `disk` keeps its files, `maxBytes` bounds what is kept, and `none` is no cache. */
export const caches = named('cache', {
  memory: (_dir: string, maxBytes?: number): SampleCache | undefined => memoryCache({ maxBytes }),
  disk: (dir: string, maxBytes?: number): SampleCache | undefined => diskCache(dir, { maxBytes }),
  none: (_dir: string, _maxBytes?: number): SampleCache | undefined => undefined,
});
