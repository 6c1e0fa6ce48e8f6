import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { configFile } from '../cli/config-file.js';
import type { Flag } from '../cli/flag.js';
import { flagName } from '../cli/flag.js';
import { isAddress } from '../files/http.js';
import { palettes } from '../tasks/segmentation/palettes.js';

/** The keys of a dataset.yaml: flags that say what a data set is, of any recipe. */
const KEYS = [
  'imageDir',
  'maskDir',
  'labels',
  'manifest',
  'shards',
  'parquet',
  'columns',
  'coco',
  'list',
  'imageSuffix',
  'maskSuffix',
  'maskPalette',
  'maskIds',
  'classNames',
  'split',
  'splitBy',
  'trainList',
  'validationList',
  'testList',
  'channels',
  'range',
  'mean',
  'std',
  'imageSize',
  'classWeights',
  'balance',
  'tiles',
  'tileOverlap',
] as const;

/** What in the values of some keys is a path, and the path itself. */
const PATHS: Partial<
  Record<(typeof KEYS)[number], (path: string, place: (path: string) => string) => string>
> = {
  imageDir: (path, place) => place(path),
  maskDir: (path, place) => place(path),
  labels: (path, place) => place(path),
  manifest: (path, place) => place(path),
  shards: (path, place) => (isAddress(path) ? path : place(path)),
  parquet: (path, place) => (isAddress(path) || path.startsWith('hf://') ? path : place(path)),
  coco: (path, place) => place(path),
  list: (path, place) => place(path),
  trainList: (path, place) => place(path),
  validationList: (path, place) => place(path),
  testList: (path, place) => place(path),
  classNames: (name, place) => (name.startsWith('@') ? `@${place(name.slice(1))}` : name),
  maskPalette: (name, place) => (palettes.has(name) ? name : place(name)),
};

/**
 * The flags that a dataset.yaml gives, by key: the flags of the data under their own names. Paths in it are relative to it.
 *
 * @throws UserError for a file that is no YAML, and for a key that no data set has.
 * @example
 * // data/dataset.yaml: image-dir: images
 * // datasetFile('data/dataset.yaml') is { from: 'data/dataset.yaml', values: { imageDir: 'data/images' } }
 */
export function datasetFile(path: string): { from: string; values: Readonly<Record<string, unknown>> } {
  const table = new Map(KEYS.map((key) => [flagName(key), { key, schema: {} } as Flag]));
  const place = (inside: string) => (isAbsolute(inside) ? inside : join(dirname(path), inside));
  const values = [...configFile(path, table, 'all', '--dataset')].map(([name, value]) => {
    const key = table.get(name)!.key as (typeof KEYS)[number];
    const moved = PATHS[key];
    return [key, moved ? eachText(value, (text) => moved(text, place)) : value];
  });
  return { from: path, values: Object.fromEntries(values) };
}

/** The flag that names a dataset.yaml; it gives other flags their values and is not recorded itself. */
export const datasetFlag = z
  .string()
  .min(1)
  .optional()
  .meta({
    transient: true,
    defaults: (path: unknown) => datasetFile(String(path)),
    description:
      'YAML file of a data set: flags of the data, with paths relative to it; other flags override it',
  });

/** A list of texts on one line, as on the command line, or as YAML has it; each changed. */
function eachText(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  return Array.isArray(value) ? value.map((part) => eachText(part, change)) : value;
}
