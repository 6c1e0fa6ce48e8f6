import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer, schemaFromColumnData } from 'hyparquet-writer';

interface ParquetOptions {
  readonly codec?: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP';
  /** Rows of a row group. */
  readonly rows?: number;
  /** Bytes of a page. */
  readonly page?: number;
  /** Texts that are noted beside the schema. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** A column: pictures as Hugging Face keeps them, bytes, or other values. */
export interface ParquetColumn {
  readonly name: string;
  readonly kind: 'picture' | 'BYTE_ARRAY' | 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'BOOLEAN';
  readonly values: readonly unknown[];
}

/** A Parquet file of these columns, for tests. */
export function parquetBytes(columns: readonly ParquetColumn[], options: ParquetOptions = {}): Buffer {
  const { codec = 'SNAPPY', rows = 1000, page, notes = {} } = options;
  const schema = [{ name: 'schema', num_children: columns.length }];
  for (const { name, kind, values } of columns) {
    if (kind === 'picture')
      schema.push(
        ...([
          { name, num_children: 2, repetition_type: 'OPTIONAL' },
          { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
          { name: 'path', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' },
        ] as never[]),
      );
    else
      schema.push(
        ...(schemaFromColumnData({
          columnData: [{ name, data: [...values], type: kind, nullable: true }],
        }).slice(1) as never[]),
      );
  }
  const bytes = parquetWriteBuffer({
    schema: schema as never,
    columnData: columns.map(({ name, values }) => ({ name, data: [...values] })),
    codec,
    compressors: { GZIP: (input: Uint8Array) => gzipSync(input) },
    rowGroupSize: rows,
    kvMetadata: Object.entries(notes).map(([key, value]) => ({ key, value })),
    ...(page !== undefined && { pageSize: page }),
  });
  return Buffer.from(bytes);
}

/** A picture as Hugging Face keeps it. */
export const embedded = (bytes: Uint8Array | null, path: string | null = null) => ({ bytes, path });
