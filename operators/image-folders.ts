import { defer, type Observable } from 'rxjs';
import { findLabelledImages } from '../src/tasks/classification/image-folders.js';
import type { LabelledImage } from '../src/tasks/classification/labelled-image.js';

/**
 * Emits the images of a folder with a sub-folder per class, once, as one sorted list.
 *
 * Cold: the folders are read on subscribing. Errors are those of `findLabelledImages`.
 *
 * @see labelList for a CSV file of images and labels
 * @example
 * imageFolders('data/breeds').pipe(split({ seed: 42 }));
 */
export function imageFolders(dir: string): Observable<readonly LabelledImage[]> {
  return defer(() => findLabelledImages(dir));
}
