import { defer, type Observable } from 'rxjs';
import { type ManifestItem, readManifest } from '../src/data/manifest.js';
import type { Pair } from '../src/data/types.js';
import { type LabelledImage, labelled } from '../src/tasks/classification/labelled-image.js';

/** An item of a manifest with a mask. */
export type ManifestPair = ManifestItem & Pair;

/** An item of a manifest with a label. */
export type ManifestImage = ManifestItem & LabelledImage;

/**
 * Emits the items that a manifest lists, once, as one list: a CSV file with a heading, or JSON Lines, of image, mask,
 * label, weight and group.
 *
 * `needs` says what each item must have: a mask, for segmentation, or a label, for classification. Cold: the manifest is
 * read on subscribing. Errors are those of `readManifest`.
 *
 * @example
 * manifest('data/scans.csv', 'mask').pipe(split({ seed: 42, groups: ({ group, stem }) => group ?? stem }));
 */
export function manifest(path: string, needs: 'mask'): Observable<readonly ManifestPair[]>;
export function manifest(path: string, needs: 'label'): Observable<readonly ManifestImage[]>;
export function manifest(path: string): Observable<readonly ManifestItem[]>;
export function manifest(path: string, needs?: 'mask' | 'label'): Observable<readonly ManifestItem[]> {
  return defer(async () => {
    const items = await readManifest(path, needs ? [needs] : []);
    return needs === 'label' ? labelled(items as readonly (ManifestItem & { className: string })[]) : items;
  });
}
