import { UserError } from '../../base/errors.js';
import { few } from '../../data/recorded-split.js';
import { nameOf } from '../../data/source.js';
import type { ImageItem } from '../../data/types.js';

/** An image file and its class. */
export interface LabelledImage extends ImageItem {
  /** The index of the class among the sorted names of the classes. */
  readonly label: number;
  /** The name of the class. */
  readonly className: string;
}

/**
 * Images by the names of their classes: sorted by stem, with labels in the order of the sorted class names.
 *
 * @throws UserError for two classes whose names differ by upper and lower case alone.
 */
export function labelled<I extends Omit<LabelledImage, 'label'>>(
  images: readonly I[],
): (I & LabelledImage)[] {
  const names = classNames(images);
  const byLowerCase = new Map<string, string>();
  for (const name of names) {
    const twin = byLowerCase.get(name.toLowerCase());
    if (twin !== undefined)
      throw new UserError(
        `classes: expected names that differ by more than upper and lower case, got ${twin} and ${name}; rename one`,
        { classNames: [twin, name] },
      );
    byLowerCase.set(name.toLowerCase(), name);
  }
  return withLabels(images, names).toSorted((a, b) => compare(a.stem, b.stem));
}

/**
 * Images whose labels are indices in `names`, such as the classes of a trained model.
 *
 * @throws UserError for an image of a class that is none of them.
 */
export function withLabels<I extends Omit<LabelledImage, 'label'>>(
  images: readonly I[],
  names: readonly string[],
): (I & LabelledImage)[] {
  const labels = new Map(names.map((name, label) => [name, label]));
  return images.map((image) => {
    const label = labels.get(image.className);
    if (label !== undefined) return { ...image, label };
    throw new UserError(
      `${nameOf(image.image)}: expected an image of one of the classes ${few(names)}, got ${image.className}`,
      { path: nameOf(image.image), className: image.className },
    );
  });
}

/** The names of the classes, sorted by UTF-16 unit: a label is an index in them. */
export function classNames(images: readonly Pick<LabelledImage, 'className'>[]): string[] {
  return [...new Set(images.map(({ className }) => className))].toSorted(compare);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
