import type { ImageItem } from '../../data/types.js';

/** An image file and the class that it shows. */
export interface LabelledImage extends ImageItem {
  /** The class's place among the sorted names of the classes. */
  readonly label: number;
  /** The name of the class. */
  readonly className: string;
}

/** Images by the names of their classes: sorted by stem, with labels in the order of the sorted class names. */
export function labelled(images: readonly Omit<LabelledImage, 'label'>[]): LabelledImage[] {
  const classes = classNames(images);
  return images
    .map((image) => ({ ...image, label: classes.indexOf(image.className) }))
    .toSorted((a, b) => compare(a.stem, b.stem));
}

/** The names of the classes, sorted by UTF-16 unit: a label is a place in them. */
export function classNames(images: readonly Pick<LabelledImage, 'className'>[]): string[] {
  return [...new Set(images.map(({ className }) => className))].toSorted(compare);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
