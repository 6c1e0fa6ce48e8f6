import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { decompress as zstd } from 'fzstd';
import { snappyUncompress } from 'hyparquet';

type Decompress = (bytes: Uint8Array, size: number) => Uint8Array;

const codecs: Readonly<Record<string, Decompress>> = {
  UNCOMPRESSED: (bytes) => bytes,
  SNAPPY: (bytes, size) => {
    const page = new Uint8Array(size);
    snappyUncompress(bytes, page);
    return page;
  },
  GZIP: (bytes, size) => gunzipSync(bytes, { maxOutputLength: Math.max(1, size) }),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: Math.max(1, size) }),
  ZSTD: (bytes, size) => zstd(bytes, new Uint8Array(size)),
};

/**
 * What a page of a Parquet file holds, in memory of its own.
 *
 * @param size the number of bytes that it must come to
 * @throws Error for a codec that is not known, and for other bytes than so many
 */
export function decompress(codec: string, bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  if (!Object.hasOwn(codecs, codec))
    throw new Error(
      `compressed as ${codec}, of which only ${Object.keys(codecs).join(', ')} are read; write the file anew`,
    );
  const page = codecs[codec]!(bytes, size);
  if (page.length !== size) throw new Error(`${page.length} bytes in a page of ${size}`);
  return new Uint8Array(page);
}
