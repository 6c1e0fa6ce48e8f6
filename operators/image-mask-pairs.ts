import { defer, type Observable } from 'rxjs';
import type { FilePair } from '../src/data/types.js';
import { findPairs, type PairsOptions } from '../src/tasks/segmentation/pairs.js';

/**
 * Emits the pairs of an image folder and a mask folder, once, as one sorted list.
 *
 * Cold: the folders are read on subscribing. Errors are those of `findPairs`.
 *
 * @example
 * imageMaskPairs('images', 'annotations/trimaps').pipe(split({ seed: 42 }));
 */
export function imageMaskPairs(
  imageDir: string,
  maskDir: string,
  options?: PairsOptions,
): Observable<readonly FilePair[]> {
  return defer(() => findPairs(imageDir, maskDir, options));
}
