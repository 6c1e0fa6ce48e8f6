import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';
import { say } from '../base/say.js';
import { whatIsThere } from '../base/what-is-there.js';
import { csvRecords } from '../files/csv.js';
import { isAddress } from '../files/http.js';
import type { Source } from './source.js';
import { stemOf } from './stem.js';
import type { ImageItem } from './types.js';

/** An item that a manifest lists. */
export interface ManifestItem extends ImageItem {
  readonly mask?: Source;
  /** The name of its class. */
  readonly className?: string;
  /** How often it is to come, beside others: for `balance`. */
  readonly weight?: number;
  /** What it belongs to, such as a patient: for `split({ groups })`. */
  readonly group?: string;
}

/** The columns of a manifest. */
const COLUMNS = ['image', 'mask', 'label', 'weight', 'group'] as const;
type Column = (typeof COLUMNS)[number];

/** One record of a manifest: its texts by column. */
interface Row {
  readonly line: number;
  readonly values: Partial<Record<Column, string>>;
}

/** Files that are looked for at a time. */
const CONCURRENCY = 64;

/**
 * The items that a manifest lists: a CSV file with a heading, or JSON Lines (`.jsonl`, `.ndjson`) with an object a line.
 *
 * Its columns are `image`, and `mask`, `label`, `weight` and `group` where there are any; others are ignored, which
 * is said. Paths are relative to the manifest's folder; http(s) addresses stay as they are. An item's stem is its image's
 * path without its ending (`stemOf`). Empty cells, and null in JSON, are values that an item does not have.
 *
 * @param needs columns that each item must have
 * @throws UserError with file and line, for a record without an image or what is needed, a file that is missing, an image
 *   that is listed twice, and a weight that is none.
 * @example
 * // image,mask,group
 * // scans/1.png,masks/1.png,patient-a
 * const items = await readManifest('data/scans.csv', ['mask']);
 */
export async function readManifest(
  path: string,
  needs: readonly ('mask' | 'label')[] = [],
): Promise<ManifestItem[]> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(
      `${path}: expected a manifest, got ${whatIsThere(cause)}; see --manifest`,
      { path },
      { cause },
    );
  });
  const rows = [...(/\.(jsonl|ndjson)$/i.test(path) ? jsonRows(text, path) : csvRows(text, path))];
  if (rows.length === 0) throw new UserError(`${path}: expected a line for each image, got none`, { path });
  const seen = new Map<string, number>();
  const items = rows.map((row) => itemOf(row, path, needs, seen));
  const queue = rows.entries();
  const look = async () => {
    for (const [i, row] of queue)
      for (const column of ['image', 'mask'] as const) {
        const source = items[i]![column];
        if (typeof source !== 'string' || isAddress(source)) continue;
        if (!(await stat(source).catch(() => undefined))?.isFile())
          throw failure(path, row.line, `a file in the column ${column}`, `${source}, which is none`);
      }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, look));
  return items;
}

function itemOf(
  { line, values }: Row,
  path: string,
  needs: readonly ('mask' | 'label')[],
  seen: Map<string, number>,
): ManifestItem {
  for (const column of ['image', ...needs] as const)
    if (values[column] === undefined) throw failure(path, line, `a value in the column ${column}`, 'none');
  const { image, mask, label, weight, group } = values;
  const stem = stemOf(image!);
  const before = seen.get(stem);
  if (before !== undefined)
    throw failure(path, line, 'each image once', `${image} again, as in line ${before}`);
  seen.set(stem, line);
  if (weight !== undefined && !(Number(weight) >= 0 && Number(weight) < Infinity))
    throw failure(path, line, 'a weight from 0 up', weight);
  const place = (file: string) => (isAddress(file) ? file : resolve(dirname(path), file));
  return {
    stem,
    image: place(image!),
    ...(mask !== undefined && { mask: place(mask) }),
    ...(label !== undefined && { className: label.normalize() }),
    ...(weight !== undefined && { weight: Number(weight) }),
    ...(group !== undefined && { group }),
  };
}

function* csvRows(text: string, path: string): Generator<Row> {
  let heading: readonly string[] | undefined;
  for (const { line, cells } of csvRecords(text, path)) {
    if (!heading) {
      heading = cells.map((cell) => cell.toLowerCase());
      if (!heading.includes('image'))
        throw failure(path, line, `a heading of ${COLUMNS.join()} with image among them`, cells.join());
      const twin = heading.find((name, i) => heading!.indexOf(name) < i);
      if (twin !== undefined) throw failure(path, line, 'each column once', `${twin} twice`);
      sayIgnored(path, heading);
      continue;
    }
    if (cells.length !== heading.length)
      throw failure(path, line, `${heading.length} cells, as in the heading`, `${cells.length}`);
    const values: Row['values'] = {};
    for (const column of COLUMNS) {
      const text = cells[heading.indexOf(column)];
      if (text !== undefined && text !== '') values[column] = text;
    }
    yield { line, values };
  }
}

function* jsonRows(text: string, path: string): Generator<Row> {
  const names = new Set<string>();
  for (const [i, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (line.trim() === '') continue;
    const record = parsed(line, path, i + 1);
    const values: Row['values'] = {};
    for (const [name, value] of Object.entries(record)) {
      names.add(name);
      const column = COLUMNS.find((known) => known === name);
      if (column === undefined || value === null || value === '') continue;
      if (typeof value !== 'string' && typeof value !== 'number')
        throw failure(path, i + 1, `text or a number as ${name}`, JSON.stringify(value).slice(0, 80));
      values[column] = String(value);
    }
    yield { line: i + 1, values };
  }
  sayIgnored(path, [...names]);
}

function parsed(line: string, path: string, number: number): object {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw failure(path, number, 'an object of JSON', (cause as Error).message.replaceAll(/\s+/g, ' '));
  }
  if (typeof record === 'object' && record !== null && !Array.isArray(record)) return record;
  throw failure(path, number, 'an object of JSON', line.slice(0, 80));
}

function sayIgnored(path: string, names: readonly string[]): void {
  const others = names.filter((name) => !COLUMNS.some((known) => known === name));
  if (others.length > 0)
    say(`${path}: columns ignored: ${others.slice(0, 8).join(', ')}${others.length > 8 ? ', …' : ''}`);
}

function failure(path: string, line: number, expected: string, got: string): UserError {
  return new UserError(`${path}:${line}: expected ${expected}, got ${oneLine(got)}`, { path, line });
}
