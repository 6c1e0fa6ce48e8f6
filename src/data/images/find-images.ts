import { stat } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import type { ImageItem } from '../types.js';

const FORMATS = ['jpg', 'jpeg', 'png', 'gif', 'webp', 'tif', 'tiff', 'avif'];

/** Formats that cannot be decoded: found, too, so that none is passed over in silence. */
const FOREIGN = ['bmp', 'heic', 'heif', 'jp2', 'jxl'];

/**
 * The pictures of a folder and of its sub-folders, by path: for predictions, which need no masks.
 *
 * A picture's stem is its path in the folder without the ending; with it, where two files differ by nothing else.
 * Hidden files are left out.
 *
 * @throws UserError for a missing folder, and for one without pictures.
 * @example
 * const images = await findImages('photos'); // photos/2024/cat.jpg has the stem 2024/cat
 */
export async function findImages(dir: string): Promise<ImageItem[]> {
  const fail = (expected: string, got: string) =>
    new UserError(`${dir}: expected ${expected}, got ${got}; see --image-dir`, { path: dir });
  const stats = await stat(dir).catch(() => undefined);
  if (!stats?.isDirectory()) throw fail('a folder of images', stats ? 'a file' : 'nothing there');
  const { default: fastGlob } = await import('fast-glob');
  const files = await fastGlob(`**/*.{${[...FORMATS, ...FOREIGN].join(',')}}`, {
    cwd: dir,
    caseSensitiveMatch: false,
    ignore: ['**/.*'],
  });
  if (files.length === 0) throw fail(`images (${FORMATS.join(', ')})`, 'none');
  const root = dir.replace(/(?<=.)\/+$/, '');
  const counts = new Map<string, number>();
  for (const file of files) counts.set(key(file), (counts.get(key(file)) ?? 0) + 1);
  return files.toSorted().map((file) => ({
    stem: counts.get(key(file)) === 1 ? withoutEnding(file) : file,
    image: `${root}/${file}`,
  }));
}

function withoutEnding(file: string): string {
  return file.replace(/\.[^./]+$/, '');
}

/** Names that are one on a file system that ignores case or compares composed letters. */
function key(file: string): string {
  return withoutEnding(file).normalize().toLowerCase();
}
