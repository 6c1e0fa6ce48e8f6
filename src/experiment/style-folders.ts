import { existsSync, realpathSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../base/did-you-mean.js';
import { UserError } from '../base/errors.js';
import { whatIsThere } from '../base/what-is-there.js';
import { nameOf } from '../data/source.js';
import type { ImageItem } from '../data/types.js';
import { locate, recordedPaths } from '../files/recorded-paths.js';

/**
 * The styles of an out-of-domain folder: its subfolders with `images/`, sorted; or the given ones.
 *
 * @throws UserError for a folder that is missing or has no style, and for a style that it does not have.
 */
export async function findStyles(dir: string, styles: readonly string[] = []): Promise<string[]> {
  const entries = await readdir(dir).catch((cause: NodeJS.ErrnoException) => {
    const got = whatIsThere(cause);
    throw new UserError(
      `${dir}: expected a folder of styles, got ${got}; make one with node recipes/make-ood.js, or see --style-dir`,
      { path: dir },
      { cause },
    );
  });
  const there: string[] = [];
  for (const name of entries.toSorted())
    if ((await stat(join(dir, name, 'images')).catch(() => undefined))?.isDirectory()) there.push(name);
  if (there.length === 0)
    throw new UserError(
      `${dir}: expected styles, folders with images/ and masks/, got none; make some with node recipes/make-ood.js, or see --style-dir`,
      { path: dir },
    );
  for (const style of styles)
    if (!there.includes(style))
      throw new UserError(
        `--style ${style}: expected one of ${there.join(', ')} in ${dir}, got none of that name${didYouMean(style, there)}`,
        { style },
      );
  return styles.length > 0 ? [...styles] : there;
}

/**
 * The pictures of one style that a model was not trained on.
 *
 * A folder that make-ood drew from the very pictures that the model learned from holds the test split of one seed; of
 * another seed's model these were partly training pictures. Those that the model learned from are left out, also where
 * the pictures that make-ood drew from are no longer there to be compared.
 *
 * @throws UserError where none is left.
 */
export async function unseenItems<I extends ImageItem>(
  dir: string,
  style: string,
  items: readonly I[],
  trainingData: { readonly stems: readonly string[]; readonly imageDirs: readonly string[] },
): Promise<readonly I[]> {
  const source = await sourceOf(dir);
  if (source === undefined) return items;
  const sources = trainingData.imageDirs.filter((path) => existsSync(path) && existsSync(source));
  const isSource = sources.some((path) => realpathSync(path) === realpathSync(source));
  if (sources.length > 0 && !isSource) return items;
  const learnedStems = new Set(trainingData.stems);
  const images = join(dir, style, 'images');
  // A stem that the pictures share with others is a path there (`cats/1`), and may not be one here.
  const relativeStem = (image: string) => relative(images, image).slice(0, -extname(image).length);
  const unseen = items.filter(
    ({ stem, image }) => !learnedStems.has(stem) && !learnedStems.has(relativeStem(nameOf(image))),
  );
  if (unseen.length > 0) return unseen;
  throw new UserError(
    `${join(dir, style)}: expected pictures that the model has not seen, got ${items.length} of its training and validation splits; run node recipes/make-ood.js with its --random-seed and --data-percentage`,
    { path: dir },
  );
}

const manifest = z.object({ imageDir: z.string(), paths: recordedPaths.optional() });

/** The folder that make-ood drew from, by its manifest; undefined without a manifest. */
async function sourceOf(dir: string): Promise<string | undefined> {
  const text = await readFile(join(dir, 'manifest.json'), 'utf8').catch(() => 'null');
  try {
    const { imageDir, paths } = manifest.parse(JSON.parse(text));
    return locate(imageDir, paths, dir);
  } catch {
    return undefined;
  }
}
