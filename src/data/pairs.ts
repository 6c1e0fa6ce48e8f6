import { readFile, stat } from 'node:fs/promises';
import { basename, parse } from 'node:path';
import fastGlob from 'fast-glob';
import { UserError } from '../errors.js';
import type { Pair } from './types.js';

const IMAGES = ['jpg', 'jpeg', 'png', 'gif', 'webp', 'tif', 'tiff', 'avif', 'bmp'];

export interface PairsOptions {
  /** List files that narrow the pairs: the first word of a line is a stem, `#` starts a comment. Several add up. */
  readonly lists?: readonly string[];
}

/**
 * The images of one folder with the masks of another, paired by stem, in the order in which Python sorts the
 * image files' names. Folders are searched to the bottom; a stem stands for one pair wherever its files lie.
 *
 * @throws UserError for a missing or empty folder, an image without a mask or a mask without an image, two files
 *   of one stem, and a listed stem that has no files.
 * @example
 * const pairs = await findPairs('images', 'annotations/trimaps', { lists: ['annotations/trainval.txt'] });
 */
export async function findPairs(
  imageDir: string,
  maskDir: string,
  { lists = [] }: PairsOptions = {},
): Promise<Pair[]> {
  const [images, masks] = await Promise.all([byStem(imageDir, 'image'), byStem(maskDir, 'mask')]);
  const listed = lists.length > 0 ? await readLists(lists) : undefined;
  const stems = listed ? [...listed.keys()] : [...new Set([...images.keys(), ...masks.keys()])];
  const pairs = stems.map((stem) => {
    const image = images.get(stem);
    const mask = masks.get(stem);
    if (image && mask) return { stem, image, mask };
    const list = listed ? `, listed in ${listed.get(stem)}` : '';
    if (!image && !mask)
      throw new UserError(
        `${stem}${list}: expected an image in ${imageDir} and a mask in ${maskDir}, got neither`,
        { stem },
      );
    const [there, missing, dir] = image ? [image, 'a mask', maskDir] : [mask, 'an image', imageDir];
    throw new UserError(
      `${there}: expected ${missing} named ${stem}.* in ${dir}, got none; add it, or name the wanted stems with --list`,
      { stem, path: there },
    );
  });
  return pairs.toSorted((a, b) => byCodePoint(basename(a.image), basename(b.image)));
}

async function byStem(dir: string, kind: string): Promise<Map<string, string>> {
  const found = await stat(dir).catch(() => undefined);
  if (!found?.isDirectory())
    throw new UserError(
      `${dir}: expected a folder of ${kind}s, got ${found ? 'a file' : 'nothing there'}; see --${kind}-dir`,
      { path: dir },
    );
  const files = await fastGlob(`**/*.{${IMAGES.join(',')}}`, {
    cwd: dir,
    absolute: false,
    caseSensitiveMatch: false,
    ignore: ['**/.*'],
  });
  if (files.length === 0)
    throw new UserError(`${dir}: expected ${kind}s (${IMAGES.join(', ')}), got none; see --${kind}-dir`, {
      path: dir,
    });
  const paths = new Map<string, string>();
  for (const file of files.toSorted(byCodePoint)) {
    const stem = parse(file).name;
    const path = `${dir.replace(/\/+$/, '')}/${file}`;
    const twin = paths.get(stem);
    if (twin)
      throw new UserError(`${path}: expected one ${kind} a stem, got ${twin} too; remove or rename one`, {
        path,
        twin,
      });
    paths.set(stem, path);
  }
  return paths;
}

async function readLists(lists: readonly string[]): Promise<Map<string, string>> {
  const stems = new Map<string, string>();
  for (const list of lists) {
    const text = await readFile(list, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new UserError(
        `${list}: expected a list file, got ${cause.code ?? cause.message}; see --list`,
        { path: list },
        { cause },
      );
    });
    for (const line of text.split('\n')) {
      const stem = line.replace(/#.*/, '').trim().split(/\s+/)[0];
      if (stem) stems.set(stem, list);
    }
  }
  if (stems.size === 0)
    throw new UserError(`${lists.join(', ')}: expected stems, one a line, got none; see --list`, { lists });
  return stems;
}

/** Python's order of text: by code point, where JavaScript's is by UTF-16 unit. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points above all others, behind the other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x2800 : unit;
}
