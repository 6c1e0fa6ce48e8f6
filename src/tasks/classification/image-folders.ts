import { stat } from 'node:fs/promises';
import { UserError } from '../../base/errors.js';
import { type LabelledImage, labelled } from './labelled-image.js';

const FORMATS = ['jpg', 'jpeg', 'png', 'gif', 'webp', 'tif', 'tiff', 'avif'];
/** Formats of pictures that cannot be read here. */
const UNREADABLE = [
  'bmp',
  'heic',
  'heif',
  'ico',
  'jp2',
  'jxl',
  'pbm',
  'pgm',
  'pnm',
  'ppm',
  'psd',
  'svg',
  'tga',
];

/**
 * The images of a folder with a sub-folder for each class, as torchvision's `ImageFolder` reads it: classes are sorted by
 * name, and an image's stem is its path in the folder without its ending.
 *
 * @throws UserError for a missing folder, an image that is in no sub-folder or of a format that cannot be read, two files
 * of one stem, a sub-folder without an image, class names that differ by case alone, and fewer than two classes.
 * @example
 * const images = await findLabelledImages('data/breeds'); // data/breeds/beagle/1.jpg, data/breeds/pug/7.png, …
 */
export async function findLabelledImages(dir: string): Promise<LabelledImage[]> {
  const fail = (expected: string, got: string) =>
    new UserError(`${dir}: expected ${expected}, got ${got}; see --image-dir`, { path: dir });
  const stats = await stat(dir).catch(() => undefined);
  if (!stats?.isDirectory()) throw fail('a folder', stats ? 'a file' : 'nothing there');
  const { default: fastGlob } = await import('fast-glob');
  const options = { cwd: dir, caseSensitiveMatch: false, ignore: ['**/.*'] };
  const ending = (formats: readonly string[]) => fastGlob(`**/*.{${formats.join(',')}}`, options);
  const [files, others] = await Promise.all([ending(FORMATS), ending(UNREADABLE)]);
  if (others.length > 0) {
    const more = others.length > 1 ? ` and ${others.length - 1} more` : '';
    throw fail(`images of the formats ${FORMATS.join(', ')}`, `${others[0]}${more}`);
  }
  if (files.length === 0) throw fail(`images (${FORMATS.join(', ')}) in a folder a class`, 'none');
  const root = dir.replace(/\/+$/, '');
  const byStem = new Map<string, string>();
  const images = files.map((file) => {
    const slash = file.indexOf('/');
    if (slash < 0) throw fail('each image in a sub-folder, its class', file);
    const stem = file.replace(/\.[^./]+$/, '').normalize();
    const twin = byStem.get(stem);
    if (twin !== undefined) throw fail('one image per stem', `${twin} and ${file}`);
    byStem.set(stem, file);
    return { stem, image: `${root}/${file}`, className: file.slice(0, slash).normalize() };
  });
  const folders = await fastGlob('*', { ...options, onlyDirectories: true });
  const classes = new Set(images.map(({ className }) => className));
  if (classes.size < 2) throw fail('images of two classes or more', `one class, ${images[0]!.className}`);
  const empty = folders.find((folder) => !classes.has(folder.normalize()));
  if (empty !== undefined) throw fail('an image in each sub-folder', `none in ${empty}`);
  return labelled(images);
}
