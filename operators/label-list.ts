import { defer, type Observable } from 'rxjs';
import { readLabelList } from '../src/tasks/classification/label-list.js';
import type { LabelledImage } from '../src/tasks/classification/labelled-image.js';

/**
 * Emits the images that a CSV file of `file,label` lists, once, as one sorted list.
 *
 * Cold: the list is read on subscribing. Errors are those of `readLabelList`.
 *
 * @see imageFolders for a folder a class
 * @example
 * labelList('data/breeds.csv').pipe(split({ seed: 42 }));
 */
export function labelList(path: string): Observable<readonly LabelledImage[]> {
  return defer(() => readLabelList(path));
}
