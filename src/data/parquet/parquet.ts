import { UserError } from '../../base/errors.js';
import { type ParquetFile, parquetFile } from '../../files/parquet/parquet-file.js';
import { lastAtMost, type Sequence, sequence } from '../sequence.js';
import { shardNames } from '../shards/shard-item.js';
import type { ParquetCell } from '../source.js';
import type { Pair } from '../types.js';
import {
  type ParquetColumns,
  type ParquetLeaves,
  type ParquetRole,
  parquetLeaves,
} from './parquet-columns.js';
import { fault, type ParquetItem, type ParquetValues, parquetValues } from './parquet-item.js';
import { parquetPaths } from './parquet-paths.js';

/** Items in Parquet files: the number of each row group's is what `interleave` needs. */
export interface ParquetItems<I extends ParquetItem = ParquetItem> extends Sequence<I> {
  readonly lengths: readonly number[];
}

/** A row with a mask. */
export type ParquetPair = ParquetItem & Pair & { readonly mask: ParquetCell };

/** A row with its class, as `LabelledImage` has it. */
export type ParquetImage = ParquetItem & { readonly className: string; readonly label: number };

/** Options of `openParquet`. */
export interface ParquetOptions {
  /** The columns by role, such as `{ image: 'img', mask: 'annotation' }`. Default: of the usual names. */
  readonly columns?: ParquetColumns | undefined;
  /** What each row must have. */
  readonly needs?: 'mask' | 'label' | undefined;
}

/** The number of files that are opened at a time. */
const OPENED = 8;

/** A file, and what is said of its rows. */
interface Opened {
  readonly file: ParquetFile;
  readonly leaves: ParquetLeaves;
  readonly values: ParquetValues;
}

/**
 * The rows of Parquet files with embedded pictures as a sequence of items, as Hugging Face keeps data sets: an image is a
 * struct of `bytes` and `path`, or bytes alone; a mask is the like, a label a number or a text.
 *
 * Files are paths, patterns, http(s) addresses or data sets in the hub's cache: `data/train-*.parquet`,
 * `train-{00000..00009}.parquet`, `hf://datasets/owner/name/data/*.parquet`, or a list. Footers,
 * labels, groups and weights are read at once; a picture's bytes are read when it is decoded, with the page that they are in.
 * An item's stem is the file's name and its row: `train-00000/17`.
 *
 * @throws UserError naming file, row group and row where there are such, for a file that is missing or damaged, a column that
 *   is missing or of another type, and a row without what is needed.
 * @example
 * const rows = await openParquet('data/train-*.parquet', { needs: 'mask', columns: { mask: 'annotation' } });
 * const plans = batchPlans(rows, { batchSize: 64, seed: 42, shuffle: interleave(rows.lengths) });
 */
export function openParquet(
  pattern: string | readonly string[],
  options: ParquetOptions & { readonly needs: 'mask' },
): Promise<ParquetItems<ParquetPair>>;
export function openParquet(
  pattern: string | readonly string[],
  options: ParquetOptions & { readonly needs: 'label' },
): Promise<ParquetItems<ParquetImage>>;
export function openParquet(
  pattern: string | readonly string[],
  options?: ParquetOptions,
): Promise<ParquetItems>;
export async function openParquet(
  pattern: string | readonly string[],
  { columns = {}, needs }: ParquetOptions = {},
): Promise<ParquetItems> {
  const paths = await parquetPaths(pattern);
  const needed: ParquetRole[] = needs ? ['image', needs] : ['image'];
  const all: Opened[] = [];
  const queue = paths.entries();
  const work = async () => {
    for (const [i, path] of queue) all[i] = await opened(path, columns, needed);
  };
  await Promise.all(Array.from({ length: OPENED }, work));
  const names = shardNames(paths);
  const groups = all.flatMap(({ file }, i) => {
    let before = 0;
    return file.groups.map(({ rows }, group) => {
      before += rows;
      return { i, group, rows, before: before - rows };
    });
  });
  const starts = [0];
  for (const { rows } of groups) starts.push(starts.at(-1)! + rows);
  if (starts.at(-1) === 0) throw new UserError(`${paths[0]}: expected rows, got none`, { path: paths[0] });
  const labels = texts(all);
  const items = sequence(starts.at(-1)!, (place) => {
    const { i, group, before } = groups[lastAtMost(starts, place)]!;
    const row = place - starts[lastAtMost(starts, place)]!;
    return itemOf(all[i]!, names[i]!, { group, row, place: before + row }, labels);
  });
  return { ...items, lengths: groups.map(({ rows }) => rows) };
}

async function opened(path: string, columns: ParquetColumns, needs: readonly ParquetRole[]): Promise<Opened> {
  const file = await parquetFile(path);
  const leaves = parquetLeaves(file, columns, needs);
  const values = await parquetValues(file, leaves);
  const without = needs.includes('label') ? values.className?.indexOf(undefined) : -1;
  if (without !== undefined && without >= 0)
    throw fault(file, without, `a label in ${leaves.label!.path}`, 'null');
  return { file, leaves, values };
}

/** The row of a place: `group` and `row` say where it lies, `place` is its number in the file. */
function itemOf(
  { file, leaves, values }: Opened,
  name: string,
  { group, row, place }: { readonly group: number; readonly row: number; readonly place: number },
  labels: readonly string[],
): ParquetItem {
  const cell = (role: 'image' | 'mask'): ParquetCell => {
    const column = leaves[role]!.path;
    return {
      kind: 'cell',
      file: file.file,
      column,
      group,
      row,
      name: `${file.file}, row group ${group}, row ${row}, ${column}`,
    };
  };
  const className = values.className?.[place];
  const label = values.label?.[place] ?? (className === undefined ? undefined : labels.indexOf(className));
  const own = { className, label, group: values.group?.[place], weight: values.weight?.[place] };
  return {
    stem: `${name}/${place}`,
    image: cell('image'),
    ...(leaves.mask && { mask: cell('mask') }),
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
  };
}

/** The names of the classes that occur, sorted. */
function texts(all: readonly Opened[]): readonly string[] {
  const names = new Set(all.flatMap(({ values }) => values.className ?? []));
  names.delete(undefined);
  return [...names].map(String).toSorted((a, b) => (a < b ? -1 : 1));
}
