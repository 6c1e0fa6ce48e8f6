import { basename } from 'node:path';
import { UserError } from '../../base/errors.js';
import { few } from '../recorded-split.js';
import type { ByteRange } from '../source.js';
import { stemOf } from '../stem.js';
import type { ImageItem } from '../types.js';
import type { IndexedSample } from './shard-index.js';

/** A sample of a tar shard. */
export interface ShardItem extends ImageItem {
  readonly image: ByteRange;
  readonly mask?: ByteRange;
  /** The name of its class: the text of its `cls`, or the `label` of its `json`. */
  readonly className?: string;
  /** The place of the class in `classes`, or the class itself where it is a whole number. */
  readonly label?: number;
  /** The `group` of its `json`: for `split({ groups })`. */
  readonly group?: string;
  /** The `weight` of its `json`: for `balance`. */
  readonly weight?: number;
}

/** What the members of a sample are. */
export interface ShardItemOptions {
  /** The member that is the image, such as `jpg`. Default: the only picture, or the first of jpg, jpeg, webp, png, tif, avif, gif. */
  readonly image?: string | undefined;
  /** The member that is the mask. Default: the first of mask.png, seg.png, png and the like that is not the image. */
  readonly mask?: string | undefined;
  /** What each sample must have. */
  readonly needs?: 'mask' | 'label' | undefined;
  /** The names of the classes, in the order of their labels. Default: classes are whole numbers. */
  readonly classes?: readonly string[] | undefined;
}

const IMAGES = ['jpg', 'jpeg', 'webp', 'png', 'tif', 'tiff', 'avif', 'gif'];
const MASKS = ['mask.png', 'seg.png', 'segmentation.png', 'label.png', 'png'];

/** The shard of an item. */
interface ItemShard {
  readonly shard: string;
  /** The file that is read. Default: the shard itself. */
  readonly file?: string | undefined;
  /** What it is called in stems. */
  readonly name: string;
  readonly bytes: number;
}

/**
 * The item of a sample.
 *
 * @throws UserError for a sample without what is needed, or of a class that is none of `classes`
 */
export function shardItem(
  { shard, file = shard, name, bytes }: ItemShard,
  { key, parts, texts }: IndexedSample,
  options: ShardItemOptions,
): ShardItem {
  const range = (part: string): ByteRange => {
    const [offset, length] = parts[part]!;
    return { kind: 'range', file, offset, length, total: bytes, name: `${shard}/${key}.${part}` };
  };
  const has = (part: string) => Object.hasOwn(parts, part);
  const lacks = (what: string) =>
    new UserError(`${shard}: expected ${what} of ${key}, got ${Object.keys(parts).join(', ')}`, {
      path: shard,
      key,
    });
  const image = options.image ?? IMAGES.find(has);
  if (image === undefined || !has(image)) throw lacks(`an image (${options.image ?? IMAGES.join(', ')})`);
  const mask = options.mask ?? MASKS.find((part) => part !== image && has(part));
  if (options.needs === 'mask' || options.mask !== undefined)
    if (mask === undefined || !has(mask)) throw lacks(`a mask (${options.mask ?? MASKS.join(', ')})`);
  const said = about(shard, key, texts);
  const label = said.className === undefined ? undefined : labelOf(said.className, options.classes);
  if (options.needs === 'label' && label === undefined)
    throw lacks(
      said.className === undefined
        ? 'a class (cls, or label in json)'
        : `a class that is ${options.classes ? `one of ${few(options.classes)}` : 'a whole number, or classes by name'}, not ${said.className},`,
    );
  return {
    stem: `${name}/${key}`,
    image: range(image),
    ...(mask !== undefined && { mask: range(mask) }),
    ...said,
    ...(label !== undefined && { label }),
  };
}

function labelOf(className: string, classes: readonly string[] | undefined): number | undefined {
  const label = classes ? classes.indexOf(className) : /^\d{1,9}$/.test(className) ? Number(className) : -1;
  return label < 0 ? undefined : label;
}

/** What shards are called in stems: their file's name, or their path where names are not unique. */
export function shardNames(shards: readonly string[]): string[] {
  const names = shards.map((shard) => basename(shard).replace(/\.[^.]*$/, ''));
  return new Set(names).size === names.length ? names : shards.map(stemOf);
}

/** What the texts of a sample say of it. */
function about(shard: string, key: string, texts: IndexedSample['texts']) {
  const json = texts['json'] === undefined ? {} : parsed(shard, key, texts['json']);
  const { label, group, weight } = json;
  const plain = (value: unknown) => typeof value === 'string' || typeof value === 'number';
  const className =
    texts['cls']?.trim() ?? texts['label']?.trim() ?? (plain(label) ? String(label) : undefined);
  return {
    ...(className !== undefined && { className }),
    ...(plain(group) && { group: String(group) }),
    ...(typeof weight === 'number' && { weight }),
  };
}

function parsed(shard: string, key: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (cause) {
    throw new UserError(
      `${shard}/${key}.json: expected JSON, got ${text.slice(0, 80).replaceAll(/\s+/g, ' ')}`,
      { path: shard },
      { cause },
    );
  }
}
