import { printable } from '../base/printable.js';

/** A cell: text, a number in full precision, or nothing. */
export type Cell = string | number | null;

/** Rows by column; columns come in the order in which rows first name them. */
export type Row = Readonly<Record<string, Cell>>;

/**
 * A table as CSV (RFC 4180, but for plain line ends): numbers in full precision, an empty cell where there is none.
 *
 * @param columns Which columns, in which order; the rows' own unless told
 */
export function csvText(rows: readonly Row[], columns: readonly string[] = columnsOf(rows)): string {
  const quoted = (cell: Cell | undefined) => {
    const text = cell === undefined || cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))]
    .map((cells) => `${cells.map(quoted).join()}\n`)
    .join('');
}

/** A table as Markdown; numbers that are not integers have four digits. */
export function markdownText(rows: readonly Row[]): string {
  const { columns, cells, numeric } = shown(rows);
  const line = (texts: readonly string[]) =>
    `| ${texts.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |\n`;
  const rule = `|${columns.map((_, c) => (numeric[c] ? '---:' : '---')).join('|')}|\n`;
  return line(columns) + rule + cells.map(line).join('');
}

/**
 * A table for a terminal: aligned columns, numbers to the right, with four digits if they are not integers.
 */
export function plainText(rows: readonly Row[]): string {
  const { columns, cells, numeric } = shown(rows);
  const widths = columns.map((column, c) => Math.max(column.length, ...cells.map((row) => row[c]!.length)));
  const line = (texts: readonly string[]) => {
    const padded = texts.map((text, c) => (numeric[c] ? text.padStart(widths[c]!) : text.padEnd(widths[c]!)));
    return `${padded.join('  ').trimEnd()}\n`;
  };
  return printable([columns, ...cells].map(line).join(''));
}

/** A share as text for a person. */
export function percentText(share: number): string {
  return `${Number((100 * share).toFixed(4))} %`;
}

function shown(rows: readonly Row[]) {
  const columns = columnsOf(rows);
  const cells = rows.map((row) => columns.map((column) => text(row[column])));
  const numeric = columns.map((column) => rows.every((row) => typeof (row[column] ?? 0) === 'number'));
  return { columns, cells, numeric };
}

function columnsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(Object.keys))];
}

function text(cell: Cell | undefined): string {
  if (cell === undefined || cell === null) return '-';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? cell.toLocaleString('en-US') : cell.toFixed(4);
}
