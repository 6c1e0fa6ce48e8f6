import { readFile } from 'node:fs/promises';
import { UserError } from '../errors.js';

/** Element types that safetensors names and that are read here, with their sizes in bytes. */
const SIZES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;

export type Dtype = keyof typeof SIZES;

/** One stored tensor: floats of every width come as Float32Array, integers as Int32Array. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file: u64 length of a JSON header, the header, then the tensors' bytes without gaps.
 *
 * Everything that the header says is checked against the file before memory is taken for it.
 *
 * @throws UserError naming the file, when it is missing, foreign, truncated, or its header lies.
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const bad = (got: string, cause?: unknown) =>
    new UserError(
      `${path}: expected a whole safetensors file, got ${got}; fetch or write it again`,
      { path },
      { cause },
    );
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw bad(
      cause.code === 'ENOENT'
        ? 'nothing there'
        : cause.code === 'EISDIR'
          ? 'a folder'
          : (cause.code ?? cause.message),
      cause,
    );
  });
  if (bytes.length < 8) throw bad(`${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE(0);
  if (length > BigInt(bytes.length - 8))
    throw bad(`a header of ${length} bytes in a file of ${bytes.length}`);
  const start = 8 + Number(length);
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start))) as Record<
      string,
      unknown
    >;
  } catch (cause) {
    throw bad('a header that is no JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad('a header that is no object');

  const { __metadata__: metadata = {}, ...entries } = header;
  const repeated = repeatedKey(new TextDecoder().decode(bytes.subarray(8, start)));
  if (repeated !== undefined) throw bad(`two entries named ${repeated}`);
  const found: { name: string; dtype: Dtype; shape: number[]; from: number; to: number }[] = [];
  for (const [name, entry] of Object.entries(entries)) {
    const {
      dtype,
      shape,
      data_offsets: offsets,
    } = (entry ?? {}) as { dtype?: Dtype; shape?: unknown; data_offsets?: unknown };
    const size = dtype && Object.hasOwn(SIZES, dtype) ? SIZES[dtype] : undefined;
    if (!dtype || !size)
      throw bad(`${name} of type ${String(dtype)} (known: ${Object.keys(SIZES).join(', ')})`);
    if (!isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      throw bad(`${name} without a shape and offsets`);
    const [from, to] = offsets as [number, number];
    const count = shape.reduce((a, b) => a * b, 1);
    if (from > to || start + to > bytes.length)
      throw bad(`${name} at ${from}–${to} of ${bytes.length - start} bytes`);
    if (to - from !== count * size) throw bad(`${name} of shape [${shape.join(', ')}] in ${to - from} bytes`);
    found.push({ name, dtype, shape, from, to });
  }
  let end = 0;
  for (const { from, to } of found.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw bad(`tensors that ${from < end ? 'overlap' : 'leave a gap'} at byte ${from}`);
    end = to;
  }
  if (start + end !== bytes.length) throw bad(`${bytes.length - start - end} bytes that belong to no tensor`);
  const tensors = new Map(
    found.map(({ name, dtype, shape, from, to }) => {
      const data = toArray(bytes.subarray(start + from, start + to), dtype);
      return [name, { dtype, shape, data }];
    }),
  );
  return { tensors, metadata: metadata as Record<string, string> };
}

/**
 * The bytes of a safetensors file: Float32Array as F32, Int32Array as I32, names sorted, the header padded to 8 bytes.
 *
 * @example
 * await writeFileAtomic('adapter.safetensors', safetensorsBytes(new Map([['a', { shape: [2], data }]])));
 */
export function safetensorsBytes(
  tensors: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }
  >,
  metadata: Readonly<Record<string, string>> = {},
): Buffer {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of [...tensors].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const dtype: Dtype = data instanceof Float32Array ? 'F32' : 'I32';
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = JSON.stringify(header);
  const text = Buffer.from(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}

/** The first key that stands twice in the outermost object of a JSON text that is known to parse. */
function repeatedKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    else if (key && depth === 1) {
      const name = JSON.parse(key) as string;
      if (seen.has(name)) return name;
      seen.add(name);
    }
  }
  return undefined;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function toArray(bytes: Buffer, dtype: Dtype): Float32Array | Int32Array {
  // A copy, so that the data is aligned and outlives the file's buffer.
  const own = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  switch (dtype) {
    case 'F32':
      return new Float32Array(own);
    case 'F64':
      return Float32Array.from(new Float64Array(own));
    case 'BF16': {
      const words = new Uint32Array(bytes.length / 2);
      new Uint16Array(own).forEach((half, i) => {
        words[i] = half << 16;
      });
      return new Float32Array(words.buffer);
    }
    case 'F16':
      return Float32Array.from(new Uint16Array(own), halfToFloat);
    case 'I64':
      return Int32Array.from(new BigInt64Array(own), Number);
    case 'I32':
      return new Int32Array(own);
    case 'I16':
      return Int32Array.from(new Int16Array(own));
    case 'I8':
      return Int32Array.from(new Int8Array(own));
    default:
      return Int32Array.from(new Uint8Array(own));
  }
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}
