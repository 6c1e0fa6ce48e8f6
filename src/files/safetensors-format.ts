import { UserError } from '../base/errors.js';
import { oneLine } from '../base/printable.js';

/** Element types of safetensors that can be read, with their sizes in bytes. */
const SIZES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;

/** A type of stored numbers, by its name in the format. */
export type Dtype = keyof typeof SIZES;

/** One stored tensor: floats of every width come as Float32Array, integers as Int32Array. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** The contents of a safetensors file. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The texts in the header beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes that are read piece by piece: a file, or a browser's Blob. */
export interface ByteSource {
  readonly size: number;
  /** @throws where the bytes end before. */
  read(from: number, length: number): Promise<ArrayBuffer>;
}

/** Makes the error for contents that are not a whole safetensors file. */
export type BadSafetensors = (got: string, cause?: unknown) => UserError;

/** Makes the errors of the file at this path. */
export function badSafetensors(path: string): BadSafetensors {
  return (got, cause) =>
    new UserError(
      `${path}: expected a whole safetensors file, got ${oneLine(got)}; fetch or write it again`,
      { path },
      { cause },
    );
}

/** The longest header that is accepted, as in the format's own library. */
const MAX_HEADER = 100_000_000;

/**
 * Parses safetensors: u64 length of a JSON header, the header, then the tensors' bytes without gaps.
 *
 * Everything that the header says is checked against the size before memory is taken for it.
 */
export async function parseSafetensors(source: ByteSource, bad: BadSafetensors): Promise<Safetensors> {
  const { entries, metadata, start } = await readHeader(source, bad);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, from, to } of entries)
    tensors.set(name, { dtype, shape, data: toArray(await source.read(start + from, to - from), dtype) });
  return { tensors, metadata };
}

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** The header, checked against the file's size; `start` is where the tensors' bytes begin. */
async function readHeader(
  source: ByteSource,
  bad: BadSafetensors,
): Promise<{ entries: Entry[]; metadata: Safetensors['metadata']; start: number }> {
  const { size } = source;
  if (size < 8) throw bad(`${size} bytes`);
  const length = new DataView(await source.read(0, 8)).getBigUint64(0, true);
  if (length > BigInt(size - 8)) throw bad(`a header of ${length} bytes in a file of ${size}`);
  if (length > MAX_HEADER) throw bad(`a header of ${length} bytes (at most ${MAX_HEADER})`);
  const start = 8 + Number(length);
  let text: string;
  let header: Record<string, unknown>;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await source.read(8, Number(length)));
    header = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw cause instanceof UserError ? cause : bad('a header that is not JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw bad('a header that is not an object');

  const { __metadata__: metadata = {}, ...rest } = header;
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw bad(`two entries named ${repeated}`);
  const entries = Object.entries(rest).map(([name, entry]) => checkEntry(name, entry, size - start, bad));
  let end = 0;
  for (const { from, to } of entries.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) throw bad(`tensors that ${from < end ? 'overlap' : 'leave a gap'} at byte ${from}`);
    end = to;
  }
  if (start + end !== size) throw bad(`${size - start - end} bytes that belong to no tensor`);
  return { entries, metadata: metadata as Safetensors['metadata'], start };
}

function checkEntry(name: string, entry: unknown, room: number, bad: BadSafetensors): Entry {
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
  if (from > to || to > room) throw bad(`${name} at ${from}–${to} of ${room} bytes`);
  if (to - from !== count * size) throw bad(`${name} of shape [${shape.join(', ')}] in ${to - from} bytes`);
  return { name, dtype, shape, from, to };
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
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of [...tensors].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const dtype: Dtype = data instanceof Float32Array ? 'F32' : 'I32';
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + offset).fill(0x20, 8 + json.length, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, 8);
  let at = 8 + padded;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The first key that occurs twice in the outermost object of a valid JSON text. */
function repeatedKey(json: string): string | undefined {
  const names = new Set<string>();
  let depth = 0;
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') depth++;
    else if (token === '}') depth--;
    else if (key && depth === 1) {
      const name = JSON.parse(key) as string;
      if (names.has(name)) return name;
      names.add(name);
    }
  }
  return undefined;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Numbers of a type as floats or integers, from their little-endian bytes. */
export function toArray(buffer: ArrayBuffer, dtype: Dtype): Float32Array | Int32Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    case 'BF16': {
      const words = new Uint32Array(buffer.byteLength / 2);
      new Uint16Array(buffer).forEach((half, i) => {
        words[i] = half << 16;
      });
      return new Float32Array(words.buffer);
    }
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case 'I64':
      return Int32Array.from(new BigInt64Array(buffer), Number);
    case 'I32':
      return new Int32Array(buffer);
    case 'I16':
      return Int32Array.from(new Int16Array(buffer));
    case 'I8':
      return Int32Array.from(new Int8Array(buffer));
    default:
      return Int32Array.from(new Uint8Array(buffer));
  }
}

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}
