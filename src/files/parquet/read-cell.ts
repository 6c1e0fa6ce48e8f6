import { stat } from 'node:fs/promises';
import { isAddress } from '../http.js';
import type { Page } from './page-table.js';
import type { Column, Value } from './page-values.js';
import { broken, type Leaf, type ParquetFile, parquetFile } from './parquet-file.js';

/** The most bytes of pages that are kept, and the most footers and columns. */
const KEPT = 2 ** 28;
const KEPT_FILES = 256;
const KEPT_COLUMNS = 64;

/** Where a value lies. */
export interface Cell {
  /** Path or http(s) address of the Parquet file. */
  readonly file: string;
  /** The path of its column, such as `image.bytes`. */
  readonly column: string;
  /** The number of its row group. */
  readonly group: number;
  /** Its row within the row group. */
  readonly row: number;
}

/** What has been read, by what it is; of the pages the least recently used go first. */
const files = new Map<string, Promise<ParquetFile>>();
const columns = new Map<string, Promise<Column>>();
const pages = new Map<string, { bytes: number; values: Promise<readonly Value[]> }>();

/**
 * The value of a cell: null where it is empty.
 *
 * The page that it is in is read at once, some hundred kilobytes to some megabytes, and the last pages are kept (256 MiB), so that
 * neighbours cost nothing.
 *
 * @throws UserError as `parquetFile`, and for pages that are damaged
 */
export async function readCell({ file: path, column, group, row }: Cell): Promise<Value> {
  const file = await fileNow(path);
  const leaf = file.leaves.get(column);
  if (!leaf || !(row < (file.groups[group]?.rows ?? 0)))
    throw broken(path, `one without row ${row} of the column ${column} in row group ${group}`);
  const { openColumn, pageValues } = await import('./page-values.js');
  const key = [path, file.modified, file.bytes, column, group].join('\n');
  const opened = await once(columns, KEPT_COLUMNS, key, () => openColumn(file, group, leaf));
  const page = opened.table.pages.findLast(({ start }) => start <= row)!;
  const values = await kept(`${key}\n${page.start}`, page, () => pageValues(opened, page));
  return values[row - page.start]!;
}

/** All values of a column, row group after row group. */
export async function readColumn(file: ParquetFile, leaf: Leaf): Promise<Value[]> {
  const { openColumn, pageValues } = await import('./page-values.js');
  const values: Value[] = [];
  for (const group of file.groups.keys()) {
    const column = await openColumn(file, group, leaf);
    for (const page of column.table.pages)
      for (const value of await pageValues(column, page)) values.push(value);
  }
  return values;
}

/** The file as it is now. */
async function fileNow(path: string): Promise<ParquetFile> {
  const stats = isAddress(path) ? undefined : await stat(path).catch(() => undefined);
  return once(files, KEPT_FILES, `${path}\n${stats?.mtimeMs}\n${stats?.size}`, () => parquetFile(path));
}

/** The result of what is done once, and again after it failed or `most` others came in between. */
function once<T>(
  known: Map<string, Promise<T>>,
  most: number,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const before = known.get(key);
  const result = before ?? make();
  if (!before) result.catch(() => known.delete(key));
  known.delete(key);
  known.set(key, result);
  if (known.size > most) known.delete(known.keys().next().value!);
  return result;
}

function kept(key: string, page: Page, make: () => Promise<readonly Value[]>): Promise<readonly Value[]> {
  const before = pages.get(key);
  const entry = before ?? { bytes: page.header.uncompressed_page_size, values: make() };
  if (!before) entry.values.catch(() => pages.delete(key));
  pages.delete(key);
  pages.set(key, entry);
  let bytes = [...pages.values()].reduce((sum, one) => sum + one.bytes, 0);
  for (const [oldest, one] of pages) {
    if (bytes <= KEPT || oldest === key) break;
    pages.delete(oldest);
    bytes -= one.bytes;
  }
  return entry.values;
}
