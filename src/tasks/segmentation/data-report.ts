import { createHash } from 'node:crypto';
import { UserError } from '../../base/errors.js';
import type { PixelFormat } from '../../data/images/pixel-format.js';
import { readShown } from '../../data/images/read-shown.js';
import { nameOf, read } from '../../data/source.js';
import { IGNORE_INDEX, type Pair, type Splits } from '../../data/types.js';
import { type MaskFormat, readMaskIds } from './mask-format.js';
import { type MaskIds, toClasses } from './mask-ids.js';

/** What a data set holds, found by reading all of it. */
export interface DataReport {
  /** The number of pairs of each split. */
  readonly splits: Readonly<Record<string, number>>;
  /** How many pictures have which size, as `width×height`, the most frequent first. */
  readonly sizes: Readonly<Record<string, number>>;
  /** The pixels of each class, and the pictures in which it occurs. */
  readonly classes: readonly { readonly pixels: number; readonly pictures: number }[];
  /** The pixels that are ignored. */
  readonly ignored: number;
  /** Masks in which everything is ignored. */
  readonly empty: readonly string[];
  /** Images of equal contents in two splits. */
  readonly duplicates: readonly string[];
  /** What would stop a training: broken files, sizes that differ, undeclared ids and colours; one line a pair. */
  readonly faults: readonly string[];
}

/**
 * Reads every image and every mask of the splits and says what they hold: all faults, and not the first alone.
 *
 * @example
 * const report = await reportData({ train: pairs, validation: [], test: [] }, { ids: [1, 2, 3], classes: 3 });
 */
export async function reportData(
  { train, validation, test }: Splits<Pair>,
  {
    classes: count,
    ids = [1, 2, 3],
    palette,
    pixels,
  }: MaskFormat & { readonly classes: number; readonly pixels?: PixelFormat | undefined },
): Promise<DataReport> {
  const sides = { train, validation, test };
  const sizes = new Map<string, number>();
  const classes = Array.from({ length: count }, () => ({ pixels: 0, pictures: 0 }));
  const [empty, duplicates, faults]: string[][] = [[], [], []];
  const seen = new Map<string, { readonly side: string; readonly name: string }>();
  let ignored = 0;
  for (const [side, pairs] of Object.entries(sides))
    for (const pair of pairs) {
      const name = nameOf(pair.image);
      try {
        const { size, digest, counts } = await contentsOf(pair, { ids, palette, pixels });
        sizes.set(size, (sizes.get(size) ?? 0) + 1);
        const twin = seen.get(digest);
        if (twin && twin.side !== side) duplicates!.push(`${name} (${side}) and ${twin.name} (${twin.side})`);
        else seen.set(digest, { side, name });
        ignored += counts[IGNORE_INDEX]!;
        classes.forEach((one, k) => {
          one.pixels += counts[k]!;
          if (counts[k]! > 0) one.pictures++;
        });
        if (classes.every((_, k) => counts[k] === 0)) empty!.push(nameOf(pair.mask));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        faults!.push(error.message);
      }
    }
  const bySize = [...sizes].toSorted(([, a], [, b]) => b - a);
  return {
    splits: { train: train.length, validation: validation.length, test: test.length },
    sizes: Object.fromEntries(bySize),
    classes,
    ignored,
    empty: empty!,
    duplicates: duplicates!,
    faults: faults!,
  };
}

async function contentsOf(
  { image, mask }: Pair,
  { ids, palette, pixels }: MaskFormat & { readonly ids: MaskIds; readonly pixels: PixelFormat | undefined },
): Promise<{ size: string; digest: string; counts: Float64Array }> {
  const digest = createHash('sha256')
    .update(await read(image, 'an image'))
    .digest('hex');
  const { width, height } = await readShown(image, pixels);
  const own = await readMaskIds(mask, palette);
  if (own.width !== width || own.height !== height)
    throw new UserError(
      `${nameOf(mask)}: expected the size of ${nameOf(image)}, ${width}×${height}, got ${own.width}×${own.height}`,
    );
  const counts = new Float64Array(IGNORE_INDEX + 1);
  for (const k of toClasses(own.data, ids, nameOf(mask))) counts[k]!++;
  return { size: `${width}×${height}`, digest, counts };
}

/** A report as text for a person. */
export function dataReportText(report: DataReport, names: readonly string[]): string {
  const { splits, sizes, classes, ignored, empty, duplicates, faults } = report;
  const pixels = ignored + classes.reduce((sum, one) => sum + one.pixels, 0);
  const share = (count: number) => `${((100 * count) / Math.max(1, pixels)).toFixed(2)} %`;
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${title}: ${lines.length}`, ...lines.map((line) => `  ${line}`)];
  const someSizes = Object.entries(sizes).slice(0, 8);
  const more = Object.keys(sizes).length - someSizes.length;
  return `${[
    `pairs: ${Object.entries(splits)
      .map(([side, count]) => `${side} ${count}`)
      .join(', ')}`,
    `sizes: ${someSizes.map(([size, count]) => `${size} (${count})`).join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
    'classes:',
    ...names.map(
      (name, k) =>
        `  ${name}: ${share(classes[k]!.pixels)} of the pixels, in ${classes[k]!.pictures} pictures`,
    ),
    `  ignored: ${share(ignored)}`,
    ...list('empty masks, all ignored', empty),
    ...list('equal images in two splits', duplicates),
    ...list('faults that stop a training', faults),
  ].join('\n')}\n`;
}
