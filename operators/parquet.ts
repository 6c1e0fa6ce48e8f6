import { defer, type Observable } from 'rxjs';
import {
  openParquet,
  type ParquetImage,
  type ParquetItems,
  type ParquetOptions,
  type ParquetPair,
} from '../src/data/parquet/parquet.js';

/**
 * Emits the rows of Parquet files with embedded pictures, once, as one sequence: `openParquet` as an operator.
 *
 * Cold: the files are opened on subscribing. A sequence is planned as it is; `[...sequence]` is the list of its items,
 * for `split`.
 *
 * @example
 * parquet('data/train-*.parquet', { needs: 'mask', columns: { mask: 'annotation' } }).pipe(
 *   concatMap((rows) => prefetch(batchPlans(rows, { batchSize, seed, shuffle: interleave(rows.lengths) }), load, { ahead: 2 })),
 * );
 */
export function parquet(
  pattern: string | readonly string[],
  options: ParquetOptions & { readonly needs: 'mask' },
): Observable<ParquetItems<ParquetPair>>;
export function parquet(
  pattern: string | readonly string[],
  options: ParquetOptions & { readonly needs: 'label' },
): Observable<ParquetItems<ParquetImage>>;
export function parquet(
  pattern: string | readonly string[],
  options?: ParquetOptions,
): Observable<ParquetItems>;
export function parquet(
  pattern: string | readonly string[],
  options?: ParquetOptions,
): Observable<ParquetItems> {
  return defer(() => openParquet(pattern, options));
}
