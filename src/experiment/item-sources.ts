import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../base/errors.js';
import { fixture } from '../base/fixture.js';
import { readUnless } from '../cli/flag.js';
import { categoriesOf, readCoco } from '../data/coco/read-coco.js';
import { type ManifestItem, readManifest } from '../data/manifest.js';
import { openParquet } from '../data/parquet/parquet.js';
import { PARQUET_ROLES, type ParquetColumns } from '../data/parquet/parquet-columns.js';
import { openShards } from '../data/shards/shards.js';
import type { Item, Pair } from '../data/types.js';
import { type LabelledImage, labelled } from '../tasks/classification/labelled-image.js';

const text = z.string().min(1).optional();

/** The columns of Parquet files by what they are. */
const columnsFlag = readUnless(
  z
    .array(z.string().regex(new RegExp(`^(${PARQUET_ROLES.join('|')})=.`), 'expected role=column'))
    .optional()
    .meta({
      single: true,
      description: `columns of --parquet by role (${PARQUET_ROLES.join(', ')}), such as image=img,mask=annotation; default: those of the usual names`,
    }),
  ({ parquet }) => (parquet === undefined ? 'there is no --parquet' : undefined),
);

/** Flags that name items in other ways than by folders. */
export const pairSourceFlags = {
  manifest: text.describe(
    'CSV with a heading, or JSON Lines, of image,mask,group in place of --image-dir and --mask-dir',
  ),
  shards: text.describe(
    "tar shards in WebDataset's layout in place of --image-dir and --mask-dir, such as data-{000..099}.tar, paths or addresses",
  ),
  parquet: text.describe(
    'Parquet files with embedded images and masks in place of --image-dir and --mask-dir, such as data/train-*.parquet, paths or addresses',
  ),
  columns: columnsFlag,
  coco: text.meta({
    defaults: (value: unknown) => ({ from: '--coco', values: cocoDefaults(String(value)) }),
    description:
      'COCO JSON of annotations in place of --mask-dir; its categories are the defaults of --mask-ids and --class-names',
  }),
};

/** Flags that name labelled pictures in other ways than by folders. */
export const labelSourceFlags = {
  manifest: text.describe('CSV with a heading, or JSON Lines, of image,label,group in place of --image-dir'),
  shards: text.describe(
    "tar shards in WebDataset's layout in place of --image-dir, such as data-{000..099}.tar, paths or addresses",
  ),
  parquet: text.describe(
    'Parquet files with embedded images and labels in place of --image-dir, such as data/train-*.parquet, paths or addresses',
  ),
  columns: columnsFlag,
};

/** The flag of what the split keeps together. */
export const splitByFlag = z
  .enum(['group'])
  .optional()
  .describe(
    'group = all pictures of a group of --manifest, --shards or --parquet in one split; default: each by itself',
  );

/** The settings that these flags give. */
export interface SourceSettings {
  readonly imageDir?: string | undefined;
  readonly manifest?: string | undefined;
  readonly shards?: string | undefined;
  readonly parquet?: string | undefined;
  readonly columns?: readonly string[] | undefined;
  readonly coco?: string | undefined;
  readonly splitBy?: 'group' | undefined;
}

/** The name of the source that the settings name, and its value; undefined where they name folders. */
export function sourceOf({
  manifest,
  shards,
  parquet,
  coco,
}: SourceSettings): [flag: string, value: string] | undefined {
  const named = Object.entries({ manifest, shards, parquet, coco }).filter(
    ([, value]) => value !== undefined,
  );
  if (named.length > 1)
    throw new UserError(
      `--${named[1]![0]}: expected it without --${named[0]![0]}, got both; each names all items`,
    );
  const [one] = named;
  return one && [`--${one[0]}`, one[1]!];
}

/** The pairs of a manifest, shards, Parquet or a COCO file; undefined where the settings name folders. */
export async function sourcedPairs(settings: SourceSettings): Promise<readonly Pair[] | undefined> {
  sourceOf(settings);
  const { manifest, shards, parquet, coco } = settings;
  if (manifest !== undefined) return (await readManifest(manifest, ['mask'])) as (ManifestItem & Pair)[];
  if (shards !== undefined) return [...(await openShards(shards, { needs: 'mask' }))];
  if (parquet !== undefined)
    return [...(await openParquet(parquet, { needs: 'mask', columns: columnsOf(settings) }))];
  if (coco !== undefined) return (await readCoco(coco, { imageDir: imagesOf(settings) })).pairs;
  return undefined;
}

/** The labelled pictures of a manifest, shards or Parquet; undefined where the settings name folders or a list. */
export async function sourcedImages(settings: SourceSettings): Promise<readonly LabelledImage[] | undefined> {
  sourceOf(settings);
  const { manifest, shards, parquet } = settings;
  if (manifest !== undefined) return labelled((await readManifest(manifest, ['label'])) as Named[]);
  if (parquet !== undefined)
    return labelled([...(await openParquet(parquet, { needs: 'label', columns: columnsOf(settings) }))]);
  if (shards === undefined) return undefined;
  const items = [...(await openShards(shards))];
  const without = items.find(({ className }) => className === undefined);
  if (without)
    throw new UserError(
      `${without.image.name}: expected a class beside it (cls, or label in json), got none`,
      {
        path: without.image.file,
      },
    );
  return labelled(items as unknown as Named[]);
}

/** The columns by role. @throws UserError where a role has two. */
function columnsOf({ columns = [] }: SourceSettings): ParquetColumns {
  const pairs = columns.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]);
  const twin = pairs.find(([role], i) => pairs.findIndex(([other]) => other === role) < i);
  if (twin) throw new UserError(`--columns: expected each role once, got ${twin[0]} twice`);
  return Object.fromEntries(pairs);
}

type Named = Omit<LabelledImage, 'label'>;

/** The groups that `--split-by` keeps together. @throws UserError where no item has one. */
export function groupsOf(
  { splitBy }: SourceSettings,
  items: readonly Item[],
): ((item: Item) => string) | undefined {
  if (splitBy === undefined) return undefined;
  const groupOf = (item: Item) => ('group' in item ? String(item.group) : undefined);
  if (!items.some((item) => groupOf(item) !== undefined))
    throw new UserError(
      '--split-by group: expected items with a group, got none; add a column group to --manifest or --parquet (--columns group=…), or group to the json of --shards',
    );
  return (item) => groupOf(item) ?? item.stem;
}

/** The folder of a COCO file's images: the one that is named, or the file's own. */
function imagesOf({ imageDir, coco }: SourceSettings): string {
  return imageDir === undefined || imageDir === fixture('creatures', 'plain', 'images')
    ? dirname(coco!)
    : imageDir;
}

function cocoDefaults(path: string) {
  try {
    return categoriesOf(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // Its reader says what is wrong with it.
    return {};
  }
}
