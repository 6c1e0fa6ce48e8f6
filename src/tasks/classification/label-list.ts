import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../../base/errors.js';
import { whatIsThere } from '../../base/what-is-there.js';
import { type LabelledImage, labelled } from './labelled-image.js';

/**
 * The images in a CSV file with lines of `file,label`: paths are relative to the list's own folder, the label is the
 * class's name. A first line `file,label` is a heading; empty lines count for nothing.
 *
 * @throws UserError with path and line, for a line of other than two cells, an image that is missing, and one that is
 * listed twice.
 * @example
 * const images = await readLabelList('data/breeds.csv'); // images/beagle_1.jpg,beagle
 */
export async function readLabelList(path: string): Promise<LabelledImage[]> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new UserError(
      `${path}: expected a list of file,label, got ${whatIsThere(cause)}; see --labels`,
      { path },
      { cause },
    );
  });
  const lineOf = new Map<string, number>();
  const images: Omit<LabelledImage, 'label'>[] = [];
  for (const [i, row] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (row.trim() === '' || (i === 0 && /^\s*"?file"?\s*,\s*"?label"?\s*$/i.test(row))) continue;
    const fail = (expected: string, got: string) =>
      new UserError(`${path}:${i + 1}: expected ${expected}, got ${got}`, { path, line: i + 1 });
    const [file, className, ...more] = cellsOf(row);
    if (!file || !className || more.length > 0) throw fail('file,label', row);
    const image = resolve(dirname(path), file);
    if (!(await stat(image).catch(() => undefined))?.isFile())
      throw fail('an image file', `${image}, which is none`);
    const stem = file.replace(/\.[^./]+$/, '').normalize();
    const before = lineOf.get(stem);
    if (before !== undefined) throw fail('each image once', `${file} again, as in line ${before}`);
    lineOf.set(stem, i + 1);
    images.push({ stem, image, className });
  }
  if (images.length === 0)
    throw new UserError(`${path}: expected lines of file,label, got none; see --labels`, { path });
  return labelled(images);
}

/** The cells of a line of CSV (RFC 4180), without the blanks around them. */
function cellsOf(row: string): string[] {
  const cells = row.match(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g) ?? [];
  const columns = row.endsWith(',') ? cells : cells.slice(0, -1);
  return (columns.length > 0 ? columns : cells).map((cell) => {
    const text = cell.replace(/,$/, '').trim();
    return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
  });
}
