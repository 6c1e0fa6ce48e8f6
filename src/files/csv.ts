import { UserError } from '../base/errors.js';

/** One record of a CSV file, and the line that it begins in, from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * The records of a CSV text (RFC 4180): cells may be quoted, and then hold commas, line ends and doubled quotes. Blanks
 * around unquoted cells, empty lines and a byte order mark count for nothing.
 *
 * @throws UserError with file and line, for a quote that is not closed or is followed by something else.
 */
export function* csvRecords(text: string, path: string): Generator<CsvRecord> {
  // A cell with what ends it; a quoted cell is taken whole.
  const cell = /[ \t]*(?:"([^"]*(?:""[^"]*)*)"[ \t]*|([^,\r\n]*))(,|\r\n|\r|\n|$)/y;
  let [line, start] = [1, 1];
  let cells: string[] = [];
  cell.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  for (let more = true; more; ) {
    const match = cell.exec(text);
    const [whole, quoted, plain = '', end] = match ?? [];
    if (whole === undefined || (quoted === undefined && plain.startsWith('"')))
      throw new UserError(
        `${path}:${line}: expected a cell whose quotes are closed, got one without an end`,
        {
          path,
          line,
        },
      );
    cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
    line += whole.split(/\r\n|\r|\n/).length - 1;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0] !== '' || quoted !== undefined) yield { line: start, cells };
    cells = [];
    start = line;
    more = end !== '' && cell.lastIndex < text.length;
  }
}
