import { open, stat } from 'node:fs/promises';
import type { FileMetaData, SchemaTree } from 'hyparquet';
import { z } from 'zod';
import { UserError } from '../../base/errors.js';
import { oneLine } from '../../base/printable.js';
import { whatIsThere } from '../../base/what-is-there.js';
import { fetchBytes, fetchSize } from '../fetch-bytes.js';
import { isAddress } from '../http.js';

/** What ends a Parquet file: the length of its footer, and a mark. */
const TAIL = 8;
const MARK = 'PAR1';

/** The largest footer, in bytes: that of some hundred thousand row groups. */
const LARGEST_FOOTER = 2 ** 28;

/** Where one column of a row group lies. */
export interface Chunk {
  readonly offset: number;
  readonly length: number;
  readonly codec: string;
}

/** Rows that are stored together, column by column. */
export interface RowGroup {
  readonly rows: number;
  /** By the path of the column, such as `image.bytes`. */
  readonly chunks: ReadonlyMap<string, Chunk>;
}

/** A column that holds values: a leaf of the schema. */
export interface Leaf {
  /** Its names from the top, joined by dots. */
  readonly path: string;
  /** From the root down to it. */
  readonly schema: readonly SchemaTree[];
}

/** What the footer of a Parquet file says. */
export interface ParquetFile {
  /** Path or http(s) address. */
  readonly file: string;
  readonly bytes: number;
  /** When it was written, in milliseconds; of an address 0. */
  readonly modified: number;
  readonly groups: readonly RowGroup[];
  readonly leaves: ReadonlyMap<string, Leaf>;
  /** What writers note beside the schema, by key. */
  readonly notes: Readonly<Record<string, string>>;
}

/**
 * Reads the footer of a Parquet file: its schema, and where the columns of each row group lie.
 *
 * @param file path, or http(s) address of a server that answers range requests
 * @throws UserError naming the file, for what is missing, no Parquet, or damaged
 */
export async function parquetFile(file: string): Promise<ParquetFile> {
  const { bytes, modified } = await identity(file);
  if (bytes < MARK.length + TAIL) throw broken(file, `${bytes} bytes`);
  const whole = { file, bytes, modified };
  const tail = await readBytes(whole, bytes - TAIL, TAIL);
  const length = new DataView(tail.buffer).getUint32(0, true);
  if (Buffer.from(tail).toString('latin1', 4) !== MARK)
    throw broken(file, 'an end other than PAR1; it was cut short, or is another format');
  if (length + TAIL + MARK.length > bytes || length > LARGEST_FOOTER)
    throw broken(file, `a footer of ${length} bytes in a file of ${bytes}`);
  const footer = await readBytes(whole, bytes - TAIL - length, length + TAIL);
  const { parquetMetadata, parquetSchema } = await import('hyparquet');
  try {
    const metadata = parquetMetadata(footer, { geoparquet: false });
    const leaves = new Map(leavesOf(parquetSchema(metadata), []));
    return { ...whole, ...contents(metadata, bytes), leaves };
  } catch (cause) {
    throw broken(file, `a damaged footer (${reason(cause)})`, cause);
  }
}

/** Bytes of a file, in memory of their own. @throws UserError where the file has changed since it was opened. */
export async function readBytes(
  { file, bytes, modified }: Pick<ParquetFile, 'file' | 'bytes' | 'modified'>,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const target = new Uint8Array(length);
  if (isAddress(file)) {
    target.set(await fetchBytes(file, { offset, length, total: bytes }));
    return target;
  }
  const handle = await open(file).catch((cause: NodeJS.ErrnoException) => {
    throw broken(file, whatIsThere(cause), cause);
  });
  try {
    const { size, mtimeMs } = await handle.stat();
    const { bytesRead } = await handle.read(target, 0, length, offset);
    if (size !== bytes || mtimeMs !== modified || bytesRead < length)
      throw new UserError(`${file}: expected the file as it was opened, got another one; start again`, {
        path: file,
      });
    return target;
  } finally {
    await handle.close();
  }
}

export function broken(file: string, got: string, cause?: unknown): UserError {
  return new UserError(`${file}: expected a Parquet file, got ${got}`, { path: file }, { cause });
}

/** What a library says of its failure, on one line. */
export function reason(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

async function identity(file: string): Promise<{ bytes: number; modified: number }> {
  if (isAddress(file)) return { bytes: await fetchSize(file), modified: 0 };
  const stats = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw broken(file, `${whatIsThere(cause)}; see --parquet`, cause);
  });
  if (!stats.isFile()) throw broken(file, 'a folder; name its files, such as folder/*.parquet');
  return { bytes: stats.size, modified: stats.mtimeMs };
}

const whole = z.union([z.bigint(), z.number()]).transform(Number).pipe(z.int().min(0));

/** What is believed of a footer, which a file from elsewhere may have wrong. */
const footer = z.array(
  z.object({
    num_rows: whole,
    columns: z.array(
      z.object({
        file_path: z.string().nullish(),
        meta_data: z.object({
          path_in_schema: z.array(z.string()),
          codec: z.string(),
          total_compressed_size: whole,
          data_page_offset: whole,
          dictionary_page_offset: whole.optional(),
        }),
      }),
    ),
  }),
);

function contents(metadata: FileMetaData, bytes: number): Pick<ParquetFile, 'groups' | 'notes'> {
  const groups = footer.parse(metadata.row_groups).map(({ num_rows: rows, columns }, group) => {
    const chunks = columns.map(({ file_path, meta_data: about }): [string, Chunk] => {
      const { data_page_offset: data, dictionary_page_offset: dictionary = 0 } = about;
      // Some writers note 0 for a dictionary that is not there.
      const offset = dictionary > 0 && dictionary < data ? dictionary : data;
      const length = about.total_compressed_size;
      if (file_path) throw new Error(`row group ${group} is in another file, ${file_path}`);
      if (offset + length > bytes) throw new Error(`row group ${group} ends beyond the file`);
      return [about.path_in_schema.join('.'), { offset, length, codec: about.codec }];
    });
    return { rows, chunks: new Map(chunks) };
  });
  const notes = (metadata.key_value_metadata ?? []).map(({ key, value = '' }) => [key, value]);
  return { groups, notes: Object.fromEntries(notes) };
}

function leavesOf(tree: SchemaTree, above: readonly SchemaTree[]): [string, Leaf][] {
  const schema = [...above, tree];
  if (tree.children.length === 0) return [[tree.path.join('.'), { path: tree.path.join('.'), schema }]];
  return tree.children.flatMap((child) => leavesOf(child, schema));
}
