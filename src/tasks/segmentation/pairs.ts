import { stat } from 'node:fs/promises';
import { basename, extname, parse } from 'node:path';
import { UserError } from '../../base/errors.js';
import type { FilePair } from '../../data/types.js';
import { readLists } from './pair-lists.js';

const IMAGES = ['jpg', 'jpeg', 'png', 'gif', 'webp', 'tif', 'tiff', 'avif'];

/** Formats that cannot be decoded: refused by name instead of overlooked. */
const FOREIGN = ['bmp'];

const ENDING = new RegExp(`\\.(${[...IMAGES, ...FOREIGN].join('|')})$`, 'i');

/** Options of `findPairs`. */
export interface PairsOptions {
  /**
   * List files that narrow the pairs: a line names a picture by its stem, its file name or its path, and may have further
   * columns; `#` starts a comment. Several add up.
   */
  readonly lists?: readonly string[];
  /** The flag that the lists were given by, for messages. Default `--list`. */
  readonly listFlag?: string;
  /** What an image's stem has at its end and its mask's has not: `_leftImg8bit`. Only such files are images. */
  readonly imageSuffix?: string | undefined;
  /** What a mask's stem has at its end and its image's has not: `_mask`. Only such files are masks. */
  readonly maskSuffix?: string | undefined;
}

/** The pictures of one folder. */
interface Folder {
  readonly dir: string;
  readonly kind: 'image' | 'mask';
  /** What the files' names have at their ends. */
  readonly suffix: string;
  /** Paths below the folder, by stem in NFC. */
  readonly byStem: ReadonlyMap<string, readonly string[]>;
}

/**
 * The images of one folder with the masks of another, paired by stem, in the order in which Python sorts the
 * image files' names. Folders are searched to the bottom; a stem stands for one pair wherever its files lie. Where
 * several sub-folders have files of one stem, these are paired by path: `a/1.jpg` with `a/1.png`. Names are compared in
 * Unicode's composed form, for file systems keep `é` as one letter or as two.
 *
 * @throws UserError for a missing or empty folder, an image without a mask or a mask without an image, two files
 *   of one stem, and a listed stem that has no files. It names the first such file; its `data.faults` has a line for each.
 * @example
 * const pairs = await findPairs('images', 'annotations/trimaps', { lists: ['annotations/trainval.txt'] });
 */
export async function findPairs(
  imageDir: string,
  maskDir: string,
  { lists = [], listFlag = '--list', imageSuffix = '', maskSuffix = '' }: PairsOptions = {},
): Promise<FilePair[]> {
  // In one folder, what has the other side's suffix is no picture of this side.
  const [notImages, notMasks] = imageDir === maskDir ? [maskSuffix, imageSuffix] : ['', ''];
  const [images, masks] = await Promise.all([
    listed(imageDir, 'image', imageSuffix, notImages),
    listed(maskDir, 'mask', maskSuffix, notMasks),
  ]);
  const faults: UserError[] = [];
  const [imageOf, maskOf] = [byName(images, masks, faults), byName(masks, images, faults)];
  const listedNames =
    lists.length > 0
      ? await readLists(lists, (name) => imageOf.has(name) || maskOf.has(name), {
          ending: ENDING,
          suffixes: [imageSuffix, maskSuffix],
          flag: listFlag,
        })
      : undefined;
  const names = listedNames ? [...listedNames.keys()] : [...new Set([...imageOf.keys(), ...maskOf.keys()])];
  const pairs = names.flatMap((name): FilePair[] => {
    const [image, mask] = [imageOf.get(name), maskOf.get(name)];
    if (image !== undefined && mask !== undefined)
      // As the image's file spells it: the hash split and the corruptions go by it.
      return [
        { stem: spelled(name, image, imageSuffix), image: path(images, image), mask: path(masks, mask) },
      ];
    const own = {
      images,
      masks,
      image,
      mask,
      list: listedNames?.get(name),
      others: [...maskOf.keys()],
    };
    faults.push(unpaired(name, own));
    return [];
  });
  if (faults.length > 0) throw together(faults);
  return pairs.toSorted(
    (a, b) => byCodePoint(basename(a.image), basename(b.image)) || byCodePoint(a.image, b.image),
  );
}

async function listed(dir: string, kind: Folder['kind'], suffix: string, others: string): Promise<Folder> {
  const stats = await stat(dir).catch(() => undefined);
  if (!stats?.isDirectory())
    throw new UserError(
      `${dir}: expected a folder of ${kind}s, got ${stats ? 'a file' : 'nothing there'}; see --${kind}-dir`,
      { path: dir },
    );
  const { default: fastGlob } = await import('fast-glob');
  const found = await fastGlob(`**/*.{${[...IMAGES, ...FOREIGN].join(',')}}`, {
    cwd: dir,
    absolute: false,
    caseSensitiveMatch: false,
    ignore: ['**/.*'],
  });
  const [own, foreignSuffix] = [suffix.normalize(), others.normalize()];
  const stemIn = (file: string) => parse(file).name.normalize();
  const files = found.filter(
    (file) => stemIn(file).endsWith(own) && (others === '' || !stemIn(file).endsWith(foreignSuffix)),
  );
  const foreignFile = files.find((file) => FOREIGN.includes(extname(file).slice(1).toLowerCase()));
  if (foreignFile !== undefined)
    throw new UserError(
      `${dir}/${foreignFile}: expected ${kind}s of the formats ${IMAGES.join(', ')}, got ${extname(foreignFile).slice(1)}; convert it to png`,
      { path: `${dir}/${foreignFile}` },
    );
  if (files.length === 0)
    throw new UserError(
      found.length > 0
        ? `${dir}: expected ${kind}s named *${suffix}.*, got none of ${found.length} files, such as ${found[0]}; see --${kind}-suffix`
        : `${dir}: expected ${kind}s (${IMAGES.join(', ')}), got none; see --${kind}-dir`,
      { path: dir },
    );
  const byStem = new Map<string, string[]>();
  for (const file of files.toSorted(byCodePoint)) {
    const stem = bare(stemIn(file), own);
    const twins = byStem.get(stem);
    if (twins) twins.push(file);
    else byStem.set(stem, [file]);
  }
  return { dir: dir.replace(/\/+$/, ''), kind, suffix: own, byStem };
}

/** The first of several faults, with all of them in its data. */
function together(faults: readonly UserError[]): UserError {
  const [first] = faults;
  const others = faults.length - 1;
  const more = others === 0 ? '' : `; ${others} more, which node recipes/preview-data.js lists`;
  const lines = faults.map(({ message }) => message);
  return new UserError(`${first!.message}${more}`, { ...first!.data, faults: lines });
}

/**
 * The files of a folder by the name that pairs them: the stem, or the path without its extension if either folder has
 * several files of that stem. Of two files of one name the first counts, and the other one is a fault.
 */
function byName(folder: Folder, other: Folder, faults: UserError[]): Map<string, string> {
  const files = new Map<string, string>();
  for (const [stem, matches] of folder.byStem) {
    const partners = other.byStem.get(stem) ?? [];
    const byPath = matches.length > 1 && partners.length > 1;
    for (const file of matches) {
      const name = byPath ? bare(withoutEnding(file).normalize(), folder.suffix) : stem;
      const twin = files.get(name);
      if (twin === undefined) files.set(name, file);
      else
        faults.push(
          new UserError(
            `${path(folder, file)}: expected one ${folder.kind} per stem, got ${path(folder, twin)} too; remove or rename one, or keep images and masks in the same sub-folders`,
            { path: path(folder, file), twin: path(folder, twin) },
          ),
        );
    }
  }
  return files;
}

function unpaired(
  name: string,
  context: {
    readonly images: Folder;
    readonly masks: Folder;
    readonly image: string | undefined;
    readonly mask: string | undefined;
    readonly list: string | undefined;
    readonly others: readonly string[];
  },
): UserError {
  const { images, masks, image, mask, list, others } = context;
  const where = list === undefined ? '' : `, listed in ${list}`;
  if (image === undefined && mask === undefined)
    return new UserError(
      `${name}${where}: expected an image in ${images.dir} and a mask in ${masks.dir}, got neither`,
      { stem: name },
    );
  const [there, missing, dir] =
    image === undefined
      ? [path(masks, mask!), 'an image', images.dir]
      : [path(images, image), 'a mask', masks.dir];
  const longer = image === undefined ? undefined : others.find((other) => isSuffixed(other, name));
  const got = longer === undefined ? 'none' : `${longer}.*`;
  const fix =
    longer === undefined
      ? 'add it, see --image-dir and --mask-dir, or name the wanted stems with --list'
      : `give both files the same name, or say --mask-suffix ${longer.slice(name.length)}`;
  return new UserError(`${there}: expected ${missing} named ${name}.* in ${dir}, got ${got}; ${fix}`, {
    stem: name,
    path: there,
  });
}

/** Whether a name is another one with a suffix, such as `cat_mask`. */
function isSuffixed(longer: string, name: string): boolean {
  return longer.startsWith(name) && /^[-_. ]?\p{L}[\p{L}\d_-]*$/u.test(longer.slice(name.length));
}

/** The stem, or the path without its extension, in the file system's spelling. */
function spelled(name: string, file: string, suffix: string): string {
  const stem = bare(parse(file).name, suffix);
  return stem.normalize() === name ? stem : bare(withoutEnding(file), suffix);
}

function bare(stem: string, suffix: string): string {
  return stem.endsWith(suffix) ? stem.slice(0, stem.length - suffix.length) : stem;
}

function path({ dir }: Folder, file: string): string {
  return `${dir}/${file}`;
}

function withoutEnding(file: string): string {
  return file.slice(0, file.length - extname(file).length);
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
