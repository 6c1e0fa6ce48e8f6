import { defer, map, type Observable } from 'rxjs';
import { type CocoOptions, type CocoPairs, readCoco } from '../src/data/coco/read-coco.js';

/**
 * Emits the images of a COCO JSON file with the masks of their annotations, once, as one list: `readCoco` as an
 * operator.
 *
 * @see readCoco for the ids of the masks and the names of the classes
 * @example
 * coco('annotations/instances_val.json', { imageDir: 'val' }).pipe(split({ seed: 42 }));
 */
export function coco(path: string, options?: CocoOptions): Observable<CocoPairs['pairs']> {
  return defer(() => readCoco(path, options)).pipe(map(({ pairs }) => pairs));
}
