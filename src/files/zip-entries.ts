import type { FileHandle } from 'node:fs/promises';

/** A file within a zip archive: where its bytes are. */
export interface ZipEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** The longest end of an archive: its record, and a comment of 65,535 bytes. */
const LONGEST_END = 22 + 65_535;
const SIGNATURES = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
};
/** What a field of 32 bits holds where the number is in a field of 64 bits. */
const ELSEWHERE = 0xffffffff;

type Read = (from: number, length: number) => Promise<Buffer>;
type Fail = (got: string) => never;

/**
 * The files of a zip archive that stores them uncompressed, as torch.save does; beyond 4 GiB, too (zip64).
 *
 * `fail` is called for what is no such archive: a broken or compressed one.
 */
export async function zipEntries(file: FileHandle, size: number, fail: Fail): Promise<ZipEntry[]> {
  const read: Read = async (from, length) => {
    if (!(from >= 0 && length >= 0 && from + length <= size)) return fail('an archive that is cut off');
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, from);
    return bytes;
  };
  const { count, length, start } = await endOf(read, size, fail);
  const directory = await read(start, length);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    const entry = entryAt(directory, at, fail);
    const { name, local, plain } = entry;
    const header = await read(local, 30);
    if (header.readUInt32LE(0) !== SIGNATURES.local) return fail('an archive with a broken directory');
    const offset = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (offset + plain > size) return fail('an archive that is cut off');
    entries.push({ name, offset, size: plain });
    at = entry.next;
  }
  return entries;
}

/** Where the directory is, and how many files it lists. */
async function endOf(read: Read, size: number, fail: Fail) {
  const from = Math.max(0, size - LONGEST_END);
  const tail = await read(from, size - from);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > tail.length) return fail('no archive (a file of torch before 1.6, or a cut one)');
  const [count, length, start] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (count !== 0xffff && length !== ELSEWHERE && start !== ELSEWHERE) return { count, length, start };
  const locator = await read(from + end - 20, 20);
  if (locator.readUInt32LE(0) !== SIGNATURES.locator64) return { count, length, start };
  const record = await read(long(locator, 8, fail), 56);
  if (record.readUInt32LE(0) !== SIGNATURES.end64) return fail('an archive with a broken end');
  return { count: long(record, 32, fail), length: long(record, 40, fail), start: long(record, 48, fail) };
}

/** One file of the directory, and where the next one is. */
function entryAt(directory: Buffer, at: number, fail: Fail) {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== SIGNATURES.entry)
    return fail('an archive with a broken directory');
  const [named, extra, comment] = [28, 30, 32].map((place) => directory.readUInt16LE(at + place)) as [
    number,
    number,
    number,
  ];
  const next = at + 46 + named + extra + comment;
  if (next > directory.length) return fail('an archive with a broken directory');
  const name = directory.toString('utf8', at + 46, at + 46 + named);
  let wide = fieldsOf64(directory.subarray(at + 46 + named, at + 46 + named + extra));
  const [plain, stored, local] = [24, 20, 42].map((place) => {
    const value = directory.readUInt32LE(at + place);
    if (value !== ELSEWHERE) return value;
    if (wide.length < 8) return fail('an archive with a broken directory');
    const number = long(wide, 0, fail);
    wide = wide.subarray(8);
    return number;
  }) as [number, number, number];
  if (directory.readUInt16LE(at + 10) !== 0 || stored !== plain)
    return fail(`an archive that compresses ${name}`);
  return { name, local, plain, next };
}

/** The numbers of 64 bits in an entry's extra fields: those that its own fields have no room for, in their order. */
function fieldsOf64(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
  return Buffer.alloc(0);
}

function long(bytes: Buffer, at: number, fail: Fail): number {
  const value = Number(bytes.readBigUInt64LE(at));
  return Number.isSafeInteger(value) ? value : fail('an archive with a broken directory');
}
