import { type CacheOutcome, noteSample } from '../load-notes.js';
import type { Item, SamplePlan } from '../types.js';
import { type DecodeMode } from './decode-natively.js';
import { type Size, sizeText } from './image-size.js';
import { formatKey, type PixelFormat } from './pixel-format.js';
import type { SampleCache } from './sample-cache.js';

/**
 * The version of the decoder: raise it when the same files decode to other bytes, so that older disk caches miss.
 */
const DECODER = 2;

/** What decoded bytes are a function of beside the files. */
export function kindOf(what: string, size: Size, mode: DecodeMode, pixels?: PixelFormat): string {
  return [DECODER, what, sizeText(size), ...(mode === 'exact' ? [] : [mode]), ...formatKey(pixels)].join('|');
}

/** Where the bytes of a sample may be kept. */
export interface Lookup {
  readonly cache: SampleCache | undefined;
  /** Of each part. */
  readonly lengths: readonly number[];
  /** As `kindOf` gives it. */
  readonly kind: string;
  /** The identity of the files' contents; asked once for each item and cache, not at every look-up. */
  readonly stamp: () => Promise<string>;
}

/** The cached parts of a sample, or else those from `decode`, which are then cached. Notes how long it took. */
export async function cached(
  plan: SamplePlan<Item>,
  lookup: Lookup,
  decode: () => Promise<Uint8Array[]>,
): Promise<readonly Uint8Array[]> {
  const started = performance.now();
  const note = (cache: CacheOutcome) =>
    noteSample(plan, { seconds: (performance.now() - started) / 1000, cache });
  const { cache, lengths } = lookup;
  const key = cache && (await keyOf(cache, plan.item, lookup));
  const known = key && (await cache.get(key, lengths));
  if (known) {
    note('hit');
    return known;
  }
  const parts = await decode();
  if (!key) note('none');
  else note((await cache.set(key, parts)) === false ? 'full' : 'kept');
  return parts;
}

const keys = new WeakMap<SampleCache, WeakMap<Item, Map<string, Promise<string>>>>();

function keyOf(cache: SampleCache, item: Item, { kind, stamp }: Lookup): Promise<string> {
  const ofCache = keys.get(cache) ?? new WeakMap<Item, Map<string, Promise<string>>>();
  keys.set(cache, ofCache);
  const ofItem = ofCache.get(item) ?? new Map<string, Promise<string>>();
  ofCache.set(item, ofItem);
  const key = ofItem.get(kind) ?? stamp().then((contents) => `${kind}|${contents}`);
  ofItem.set(kind, key);
  return key;
}
