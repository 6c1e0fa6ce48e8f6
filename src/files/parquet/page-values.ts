import type { DataPageHeader, DecodedArray } from 'hyparquet';
import { assembleLists } from 'hyparquet/src/assemble.js';
import { convert, convertWithDictionary, DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { readDataPage } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel } from 'hyparquet/src/schema.js';
import { checkDeltas, checkRuns } from './check-page.js';
import { decompress } from './decompress.js';
import { damaged, type Page, type PageTable, pageTable } from './page-table.js';
import { type Leaf, type ParquetFile, readBytes, reason } from './parquet-file.js';

/** A value of a column; null where a row has none. */
export type Value = Uint8Array | string | number | bigint | boolean | Date | null;

/** A column of a row group, and where its pages lie. */
export interface Column {
  readonly file: ParquetFile;
  readonly group: number;
  readonly leaf: Leaf;
  readonly table: PageTable;
  /** The values that pages refer to by number; undefined where they do not. */
  readonly dictionary?: DecodedArray | undefined;
}

type Decoder = Parameters<typeof readDataPage>[2];

/**
 * Finds the pages of a column in a row group, and reads the values that they refer to.
 *
 * @throws UserError naming file, row group and column, for what is damaged
 */
export async function openColumn(file: ParquetFile, group: number, leaf: Leaf): Promise<Column> {
  const column = { file, group, leaf, table: await pageTable(file, group, leaf.path) };
  const page = column.table.dictionary;
  if (!page) return column;
  const dictionary = await guarded(column, async () => {
    const bytes = unpacked(column, await stored(column, page), page.header.uncompressed_page_size);
    const decoder = decoderOf(column);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    const count = page.header.dictionary_page_header!.num_values;
    return convert(readPlain(reader, decoder.type, count, decoder.element.type_length), decoder);
  });
  return { ...column, dictionary };
}

/**
 * The values of a page, one a row.
 *
 * @throws UserError naming file, row group and column, for a page that is damaged or of an unknown codec or encoding
 */
export function pageValues(column: Column, page: Page): Promise<readonly Value[]> {
  return guarded(column, async () => {
    const { dictionary } = column;
    const decoder = decoderOf(column);
    const { bytes, header } = await firstVersion(column, page);
    if (header.encoding.endsWith('_DICTIONARY') && !dictionary)
      throw new Error('places in a dictionary, without one');
    checkPage(new DataView(bytes.buffer), header, decoder);
    const { definitionLevels, repetitionLevels, dataPage } = readDataPage(bytes, header, decoder);
    const values = convertWithDictionary(dataPage, dictionary, header.encoding, decoder);
    if (Array.isArray(values) && values.includes(undefined)) throw new Error('a place beyond its dictionary');
    const nested = assembleLists([], definitionLevels, repetitionLevels, values, decoder.schemaPath);
    const rows = Array.from(nested as ArrayLike<unknown>, innermost);
    if (rows.length !== page.rows) throw new Error(`${rows.length} values for ${page.rows} rows`);
    return rows;
  });
}

/** A page as the first version of the format has it: levels with their length, then values, none compressed. */
async function firstVersion(
  column: Column,
  page: Page,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; header: DataPageHeader }> {
  const { uncompressed_page_size: size, data_page_header: first, data_page_header_v2: second } = page.header;
  const packed = await stored(column, page);
  if (first) return { bytes: unpacked(column, packed, size), header: first };
  const { definition_levels_byte_length: length, encoding, num_values, is_compressed } = second!;
  const rest = packed.subarray(length);
  const values = is_compressed && size > length ? unpacked(column, rest, size - length) : rest;
  const leveled = getMaxDefinitionLevel([...column.leaf.schema]) > 0;
  const bytes = new Uint8Array((leveled ? 4 + length : 0) + values.length);
  if (leveled) {
    new DataView(bytes.buffer).setUint32(0, length, true);
    bytes.set(packed.subarray(0, length), 4);
  }
  bytes.set(values, bytes.length - values.length);
  const levels = { definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as const;
  return { bytes, header: { num_values, encoding, ...levels } };
}

const ENCODINGS = /^(PLAIN|RLE|PLAIN_DICTIONARY|RLE_DICTIONARY|DELTA_\w+|BYTE_STREAM_SPLIT)$/;

/** Refuses what its reader would take at its word, and fill memory with. */
function checkPage(
  view: DataView,
  { encoding, num_values, ...header }: DataPageHeader,
  decoder: Decoder,
): void {
  if (!ENCODINGS.test(encoding)) throw new Error(`the encoding ${encoding}`);
  const most = getMaxDefinitionLevel(decoder.schemaPath);
  let start = 0;
  if (most > 0) {
    if (header.definition_level_encoding !== 'RLE')
      throw new Error(`levels in the encoding ${header.definition_level_encoding}`);
    checkRuns(view, 4, 32 - Math.clz32(most), num_values);
    start = 4 + view.getUint32(0, true);
  }
  // A page of nulls alone.
  if (start >= view.byteLength) return;
  if (encoding.startsWith('DELTA')) checkDeltas(view, start);
  else if (decoder.type === 'BOOLEAN' && encoding === 'RLE') checkRuns(view, start + 4, 1, num_values);
  else if (encoding.endsWith('_DICTIONARY')) checkRuns(view, start + 1, view.getUint8(start), num_values);
}

function decoderOf({ leaf: { path, schema } }: Column): Decoder {
  const { element } = schema.at(-1)!;
  return {
    pathInSchema: path.split('.'),
    type: element.type!,
    element,
    schemaPath: [...schema],
    codec: 'UNCOMPRESSED',
    parsers: DEFAULT_PARSERS,
    utf8: false,
  };
}

function stored({ file }: Column, { offset, header }: Page): Promise<Uint8Array<ArrayBuffer>> {
  return readBytes(file, offset, header.compressed_page_size);
}

function unpacked({ table }: Column, bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return decompress(table.codec, bytes, size);
}

/** A value within the lists that structs are assembled as: one for each level that may be missing. */
function innermost(value: unknown): Value {
  let inner = value;
  while (Array.isArray(inner)) inner = inner[0];
  return (inner ?? null) as Value;
}

async function guarded<T>({ file, group, leaf }: Column, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'UserError') throw cause;
    throw damaged(file.file, group, leaf.path, reason(cause), cause);
  }
}
