import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../base/errors.js';
import { writeFileAtomic } from '../../files/atomic.js';
import { askFor } from '../../files/fetch-bytes.js';
import { isAddress } from '../../files/http.js';
import { ahead, openAt, type ReadAt } from '../../files/read-at.js';
import { type TarMember, tarMembers } from '../../files/tar-members.js';
import { copyPath, copyShard } from './shard-copy.js';

/** The version of the index: another one is made anew. */
const VERSION = 2;

/** The longest text of a sample that its index keeps, in bytes: a class, a caption. */
const LONGEST_TEXT = 4096;

/** What of a member is a text. */
const TEXTS = ['cls', 'txt', 'json', 'label'];

/** The first line of an index: the shard that it is of. */
const head = z.object({
  shard: z.literal(VERSION),
  bytes: z.number(),
  /** When the shard was written, in milliseconds; of an address 0. */
  modified: z.number(),
  /** Whether it is a copy of an address that is read. */
  copied: z.boolean().optional(),
  samples: z.int().min(0),
});
export type Head = z.infer<typeof head>;

/** A sample of a shard: the members of one key. */
const sample = z.object({
  key: z.string(),
  /** First byte and size of each member, by what follows the key. */
  parts: z.record(z.string(), z.tuple([z.int().min(0), z.int().min(0)])),
  /** The contents of short texts. */
  texts: z.record(z.string(), z.string()),
});
export type IndexedSample = z.infer<typeof sample>;

/** Where the index of a shard is kept: beside a local one, or in `dir`. */
export function indexPath(shard: string, dir: string | undefined): string {
  if (dir === undefined) return `${shard}.index`;
  return join(dir, `${createHash('sha256').update(shard).digest('hex').slice(0, 32)}.index`);
}

/**
 * The head of a shard's index if the index is there and the shard has not changed since. It reads little: ten
 * thousand shards are opened within a second.
 */
export function indexHead(shard: string, path: string): Head | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(256);
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0));
    const found = head.parse(JSON.parse(text.slice(0, text.indexOf('\n'))));
    if (isAddress(shard)) return !found.copied || sizeOf(copyPath(path)) === found.bytes ? found : undefined;
    const { size, mtimeMs } = statSync(shard);
    return size === found.bytes && mtimeMs === found.modified ? found : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

/** The samples of an index, a line of JSON each. @throws UserError where it is gone or has other samples than its head says. */
export function indexLines(path: string, samples: number): readonly string[] {
  const lines = textOf(path).split('\n').slice(1, -1);
  if (lines.length === samples) return lines;
  throw new UserError(
    `${path}: expected the index of ${samples} samples, got one of ${lines.length}; remove it to have it made anew`,
    { path },
  );
}

/** The sample of a line. @throws UserError where it is damaged. */
export function indexedSample(path: string, line: string): IndexedSample {
  try {
    return sample.parse(JSON.parse(line));
  } catch (cause) {
    throw new UserError(
      `${path}: expected a sample a line, got ${line.slice(0, 80)}; remove the index to have it made anew`,
      { path },
      { cause },
    );
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(
      `${path}: expected the index of a shard, got ${(cause as NodeJS.ErrnoException).code}; start again to have it made anew`,
      { path },
      { cause },
    );
  }
}

/**
 * Makes the index of a shard and writes it to `path`: headers are read, and short texts. A shard whose server ignores
 * ranges is copied first, to `copyPath(path)`.
 *
 * Members belong to one sample whose paths agree up to the first dot of the name; they follow one another, as
 * WebDataset's do.
 *
 * @throws UserError for what is no tar archive, for a key whose members are apart, and as `copyShard`
 */
export async function makeIndex(shard: string, path: string, signal: AbortSignal): Promise<Head> {
  const { file, ...rest } = await readable(shard, path, signal);
  const { readAt: read, close } = await openAt(file, 'a tar archive');
  const readAt = ahead(read, file);
  try {
    const samples: IndexedSample[] = [];
    for await (const one of indexedSamples(tarMembers(readAt, shard), readAt, shard)) {
      signal.throwIfAborted();
      samples.push(one);
    }
    const about: Head = { shard: VERSION, ...rest, samples: samples.length };
    await writeFileAtomic(path, [about, ...samples].map((line) => `${JSON.stringify(line)}\n`).join(''), {
      flush: false,
    });
    return about;
  } catch (error) {
    // A copy of what is no shard is not kept: the next try asks the server again.
    if (rest.copied && error instanceof UserError) await rm(file, { force: true });
    throw error;
  } finally {
    await close();
  }
}

/** The file that a shard is read from, and what its index says of it. */
async function readable(
  shard: string,
  path: string,
  signal: AbortSignal,
): Promise<Pick<Head, 'bytes' | 'modified' | 'copied'> & { readonly file: string }> {
  if (!isAddress(shard)) {
    const { size, mtimeMs } = statSync(shard);
    return { file: shard, bytes: size, modified: mtimeMs };
  }
  const { ranges, size } = await askFor(shard, { signal });
  if (ranges) return { file: shard, bytes: size!, modified: 0 };
  const file = copyPath(path);
  return { file, bytes: await copyShard(shard, file, { size, signal }), modified: 0, copied: true };
}

/** Members grouped by key. */
export async function* indexedSamples(
  members: AsyncIterable<TarMember>,
  readAt: ReadAt,
  shard: string,
): AsyncGenerator<IndexedSample> {
  const seen = new Set<string>();
  let current: IndexedSample | undefined;
  for await (const { path, offset, size } of members) {
    const [key, part] = keyOf(path);
    if (part === '') continue;
    if (current?.key !== key) {
      if (current) yield current;
      if (seen.has(key))
        throw new UserError(
          `${shard}: expected the members of a sample one after another, got ${path} apart from others of ${key}; pack them in order`,
          { path: shard, key },
        );
      seen.add(key);
      current = { key, parts: {}, texts: {} };
    }
    if (Object.hasOwn(current.parts, part))
      throw new UserError(`${shard}: expected each member once, got ${path} twice`, { path: shard });
    current.parts[part] = [offset, size];
    if (TEXTS.includes(part.split('.').at(-1)!) && size <= LONGEST_TEXT)
      current.texts[part] = (await readAt(offset, size)).toString('utf8');
  }
  if (current) yield current;
}

/** The key of a member and what follows it: `dogs/rex.seg.png` is `seg.png` of `dogs/rex`. */
function keyOf(path: string): [key: string, part: string] {
  const name = path.lastIndexOf('/') + 1;
  const dot = path.indexOf('.', name);
  return dot < 0 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1).toLowerCase()];
}
