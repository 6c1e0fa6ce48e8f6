import { stat } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../../base/errors.js';
import { say } from '../../base/say.js';
import { isAddress } from '../../files/http.js';
import { lastAtMost, type Sequence, sequence } from '../sequence.js';
import type { Pair } from '../types.js';
import { expandBraces } from './expand-braces.js';
import { copyPath } from './shard-copy.js';
import { type Head, indexedSample, indexHead, indexLines, indexPath, makeIndex } from './shard-index.js';
import { type ShardItem, type ShardItemOptions, shardItem, shardNames } from './shard-item.js';

/** Items in shards: the number of each shard's is what `interleave` needs. */
export interface Shards<I extends ShardItem = ShardItem> extends Sequence<I> {
  readonly lengths: readonly number[];
}

/** A sample with a mask. */
export type ShardPair = ShardItem & Pair;

/** A sample with its class, as `LabelledImage` has it. */
export type ShardImage = ShardItem & { readonly className: string; readonly label: number };

/** Options of `openShards`. */
export interface ShardsOptions extends ShardItemOptions {
  /** The folder of the indices. Default: beside local shards; of addresses `.cache/millrace/shards`. */
  readonly indexDir?: string | undefined;
}

/** The number of indices that are kept in memory. */
const KEPT = 64;

/** The number of shards that are opened, or indexed, at a time. */
const OPENED = 256;
const INDEXED = 4;

/**
 * The samples of tar shards in WebDataset's layout as a sequence of items: `a.jpg`, `a.png`, `a.cls` and `a.json` are one
 * sample. Shards are paths or http(s) addresses: `data-{0000..0099}.tar`, or a list.
 *
 * The first time, an index of each shard is made, from headers alone, and kept. Afterwards ten thousand shards open within
 * a second; a sample's bytes are read when it is decoded, and only a few indices are in memory at a time. Shards of a
 * server that ignores range requests are copied beside their index, whole.
 *
 * @throws UserError for a shard that is missing, cut short or no tar archive, and for a sample without an image.
 * @example
 * const shards = await openShards('data/train-{000..099}.tar');
 * const plans = batchPlans(shards, { batchSize: 64, seed: 42, shuffle: interleave(shards.lengths) });
 */
export function openShards(
  pattern: string | readonly string[],
  options: ShardsOptions & { readonly needs: 'mask' },
): Promise<Shards<ShardPair>>;
export function openShards(
  pattern: string | readonly string[],
  options: ShardsOptions & { readonly needs: 'label' },
): Promise<Shards<ShardImage>>;
export function openShards(pattern: string | readonly string[], options?: ShardsOptions): Promise<Shards>;
export async function openShards(
  pattern: string | readonly string[],
  options: ShardsOptions = {},
): Promise<Shards> {
  const shards = typeof pattern === 'string' ? expandBraces(pattern) : pattern;
  const dirOf = (shard: string) =>
    options.indexDir ?? (isAddress(shard) ? '.cache/millrace/shards' : undefined);
  const paths = shards.map((shard) => indexPath(shard, dirOf(shard)));
  const heads: Head[] = [];
  const missing: number[] = [];
  for (const [i, shard] of shards.entries()) {
    if (i % OPENED === 0) await turn();
    const found = indexHead(shard, paths[i]!);
    if (found) heads[i] = found;
    else missing.push(i);
  }
  await indexMissing(shards, paths, missing, heads);
  const lengths = heads.map(({ samples }) => samples);
  const starts = [0];
  for (const length of lengths) starts.push(starts.at(-1)! + length);
  const names = shardNames(shards);
  const linesOf = kept((i) => indexLines(paths[i]!, lengths[i]!));
  const items = sequence(starts.at(-1)!, (place) => {
    const i = lastAtMost(starts, place);
    const line = linesOf(i)[place - starts[i]!]!;
    const { bytes, copied } = heads[i]!;
    return shardItem(
      { shard: shards[i]!, file: copied ? copyPath(paths[i]!) : undefined, name: names[i]!, bytes },
      indexedSample(paths[i]!, line),
      options,
    );
  });
  return { ...items, lengths };
}

async function indexMissing(
  shards: readonly string[],
  paths: readonly string[],
  missing: readonly number[],
  heads: Head[],
): Promise<void> {
  for (const i of missing)
    if (!isAddress(shards[i]!) && !(await stat(shards[i]!).catch(() => undefined))?.isFile())
      throw new UserError(`${shards[i]}: expected a tar shard, got nothing there; see --shards`, {
        path: shards[i],
      });
  if (missing.length > 0)
    say(
      `${shards[missing[0]!]}: making the index of ${missing.length} ${missing.length > 1 ? 'shards' : 'shard'}, once`,
    );
  const queue = missing.values();
  const stop = new AbortController();
  const work = async () => {
    try {
      for (const i of queue) heads[i] = await makeIndex(shards[i]!, paths[i]!, stop.signal);
    } catch (error) {
      stop.abort(stop.signal.reason ?? error);
    }
  };
  await Promise.all(Array.from({ length: INDEXED }, work));
  stop.signal.throwIfAborted();
}

/** A function of a number whose last results are kept, the least recently used going first. */
function kept<T>(make: (key: number) => T): (key: number) => T {
  const results = new Map<number, T>();
  return (key) => {
    const result = results.get(key) ?? make(key);
    results.delete(key);
    results.set(key, result);
    if (results.size > KEPT) results.delete(results.keys().next().value!);
    return result;
  };
}
