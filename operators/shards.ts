import { defer, type Observable } from 'rxjs';
import {
  openShards,
  type ShardImage,
  type ShardPair,
  type Shards,
  type ShardsOptions,
} from '../src/data/shards/shards.js';

/**
 * Emits the samples of tar shards in WebDataset's layout, once, as one sequence: `openShards` as an operator.
 *
 * Cold: the shards are opened on subscribing. A sequence is planned as it is; `[...sequence]` is the list of its items,
 * for `split`.
 *
 * @example
 * shards('data/train-{000..099}.tar', { needs: 'mask' }).pipe(
 *   concatMap((items) => prefetch(batchPlans(items, { batchSize, seed, shuffle: interleave(items.lengths) }), load, { ahead: 2 })),
 * );
 */
export function shards(
  pattern: string | readonly string[],
  options: ShardsOptions & { readonly needs: 'mask' },
): Observable<Shards<ShardPair>>;
export function shards(
  pattern: string | readonly string[],
  options: ShardsOptions & { readonly needs: 'label' },
): Observable<Shards<ShardImage>>;
export function shards(pattern: string | readonly string[], options?: ShardsOptions): Observable<Shards>;
export function shards(pattern: string | readonly string[], options?: ShardsOptions): Observable<Shards> {
  return defer(() => openShards(pattern, options));
}
