import type { FileHandle } from 'node:fs/promises';

/** A file within a zip archive: where its bytes are. */
export interface ZipEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** The longest end of an archive: its record, and a comment of 65,535 bytes. */
const LONGEST_END = 22 + 65_535;
const SIGNATURES = { end: 0x06054b50, entry: 0x02014b50, local: 0x04034b50 };

/**
 * The files of a zip archive that stores them uncompressed, as torch.save does.
 *
 * `fail` is called for what is no such archive: a broken or compressed one, or one beyond 4 GiB (zip64).
 */
export async function zipEntries(
  file: FileHandle,
  size: number,
  fail: (got: string) => never,
): Promise<ZipEntry[]> {
  const read = async (from: number, length: number) => {
    if (from < 0 || length < 0 || from + length > size) return fail('an archive that is cut off');
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, from);
    return bytes;
  };
  const tail = await read(Math.max(0, size - LONGEST_END), Math.min(size, LONGEST_END));
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0 || end + 22 > tail.length) return fail('no archive (a file of torch before 1.6, or a cut one)');
  const [count, length, start] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (start === 0xffffffff || count === 0xffff) return fail('an archive beyond 4 GiB');
  const directory = await read(start, length);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > length || directory.readUInt32LE(at) !== SIGNATURES.entry)
      return fail('an archive with a broken directory');
    const [method, stored, plain] = [
      directory.readUInt16LE(at + 10),
      directory.readUInt32LE(at + 20),
      directory.readUInt32LE(at + 24),
    ];
    const [named, extra, comment] = [28, 30, 32].map((place) => directory.readUInt16LE(at + place)) as [
      number,
      number,
      number,
    ];
    const local = directory.readUInt32LE(at + 42);
    const name = directory.toString('utf8', at + 46, at + 46 + named);
    if (method !== 0 || stored !== plain) return fail(`an archive that compresses ${name}`);
    const header = await read(local, 30);
    if (header.readUInt32LE(0) !== SIGNATURES.local) return fail('an archive with a broken directory');
    const offset = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
    if (offset + plain > size) return fail('an archive that is cut off');
    entries.push({ name, offset, size: plain });
    at += 46 + named + extra + comment;
  }
  return entries;
}
