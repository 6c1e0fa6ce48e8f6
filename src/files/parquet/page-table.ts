import type { PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { UserError } from '../../base/errors.js';
import { type ParquetFile, readBytes, reason } from './parquet-file.js';

/** The first guess of a page header's size, in bytes, and the largest one. */
const HEADER = 2 ** 12;
const LARGEST_HEADER = 2 ** 20;

/** The largest page, unpacked, in bytes. */
const LARGEST_PAGE = 2 ** 28;

/** The most values of a page. */
const MOST_VALUES = 2 ** 24;

/** Where a page lies. */
export interface Page {
  readonly header: PageHeader;
  /** The first byte behind its header. */
  readonly offset: number;
  /** The first of its rows within the row group. */
  readonly start: number;
  readonly rows: number;
}

/** The pages of one column of a row group. */
export interface PageTable {
  readonly codec: string;
  readonly dictionary: Page | undefined;
  readonly pages: readonly Page[];
}

/**
 * Finds the pages of a column in a row group by their headers, without reading what they contain.
 *
 * @throws UserError naming file, row group and column, for what is damaged or too large
 */
export async function pageTable(file: ParquetFile, group: number, column: string): Promise<PageTable> {
  const { rows, chunks } = file.groups[group]!;
  const chunk = chunks.get(column);
  if (!chunk) throw damaged(file.file, group, column, 'no such column in it');
  const end = chunk.offset + chunk.length;
  const pages: Page[] = [];
  let dictionary: Page | undefined;
  let seen = 0;
  for (let at = chunk.offset; seen < rows; ) {
    if (at >= end) throw damaged(file.file, group, column, `an end after ${seen} of ${rows} rows`);
    const { header, size } = await headerAt(file, group, column, at, end);
    const got = fault(header, end - at - size, rows - seen);
    if (got !== undefined) throw damaged(file.file, group, column, got);
    const values = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0;
    const page = { header, offset: at + size, start: seen, rows: values };
    if (header.type === 'DICTIONARY_PAGE') dictionary = page;
    else if (values > 0) pages.push(page);
    seen += values;
    at += size + header.compressed_page_size;
  }
  return { codec: chunk.codec, dictionary, pages };
}

/** What is wrong with a row group of a file. */
export function damaged(
  file: string,
  group: number,
  column: string,
  got: string,
  cause?: unknown,
): UserError {
  return new UserError(
    `${file}: expected pages of the column ${column} in row group ${group}, got ${got}`,
    { path: file, rowGroup: group, column },
    { cause },
  );
}

async function headerAt(
  file: ParquetFile,
  group: number,
  column: string,
  at: number,
  end: number,
): Promise<{ header: PageHeader; size: number }> {
  for (let length = HEADER; ; length *= 16) {
    const bytes = await readBytes(file, at, Math.min(length, end - at));
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    try {
      return { header: parquetHeader(reader), size: reader.offset };
    } catch (cause) {
      // It may be longer than the guess.
      if (length < LARGEST_HEADER && bytes.length === length) continue;
      throw damaged(file.file, group, column, `a damaged page header (${reason(cause)})`, cause);
    }
  }
}

/** What cannot be in a header that is followed by `left` bytes and has at most `rows` rows. */
function fault(header: PageHeader, left: number, rows: number): string | undefined {
  const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
  if (!isCount(packed) || packed > left) return `a page of ${packed} bytes, of which ${left} are there`;
  if (!isCount(unpacked) || unpacked > LARGEST_PAGE)
    return `a page of ${unpacked} bytes, more than ${LARGEST_PAGE}`;
  if (header.type === 'DICTIONARY_PAGE') {
    const values = header.dictionary_page_header?.num_values;
    return isCount(values) && values <= 8 * unpacked
      ? undefined
      : `a dictionary of ${values} values in ${unpacked} bytes`;
  }
  const values = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values;
  if (header.type !== 'DATA_PAGE' && header.type !== 'DATA_PAGE_V2')
    return `a page of the kind ${header.type}`;
  if ((header.type === 'DATA_PAGE') === (header.data_page_header === undefined))
    return 'a page without its header';
  if (!isCount(values) || values > rows || values > MOST_VALUES)
    return `a page of ${values} values for ${rows} rows`;
  const second = header.data_page_header_v2;
  if (!second) return undefined;
  const { definition_levels_byte_length: levels, repetition_levels_byte_length: repeats } = second;
  if (!isCount(levels) || repeats !== 0 || levels > packed)
    return `${levels} bytes of levels in a page of ${packed}`;
  return isCount(second.num_nulls) && second.num_nulls <= values
    ? undefined
    : `${second.num_nulls} nulls of ${values}`;
}

function isCount(value: number | undefined): value is number {
  return Number.isInteger(value) && value! >= 0;
}
