import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../base/errors.js';
import { checkedUrl, checkStatus, Dropped, drain, type Persistence, persist, request } from './http.js';
import { writeError } from './write-error.js';

/** How to fetch a file. */
export interface DownloadOptions extends Persistence {
  /** The expected checksum of the whole file in hexadecimal digits: `md5:…`, `sha256:…`, or `git:…`, its name as a blob. */
  readonly checksum?: string;
  /** Called with the bytes received, and the total if the server states it. */
  progress?(bytes: number, total: number | undefined): void;
}

/**
 * Fetches a file over HTTP(S) to `path`, which appears only when it is whole and its checksum is right.
 *
 * What has arrived lies in `<path>.part`. A connection that drops is resumed by a Range request; so is the file of an
 * earlier run where a checksum guards against another version of it. A server that ignores ranges is read from the start. A
 * file that exists and has the checksum (or needs none) is not fetched again.
 *
 * @throws UserError for an address that is not HTTP(S), a refusal (404, …), a wrong checksum, a full disk, or too many drops in a row
 * @example
 * await download('https://example.org/images.tar.gz', 'data/images.tar.gz', { checksum: 'md5:5c4f…' });
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  const { checksum } = options;
  checkedUrl(url);
  if (await exists(path)) {
    if (!checksum || (await fileChecksum(path, checksum)) === checksum) return;
    throw new UserError(`${path}: expected ${checksum}, got another file; remove it to fetch it again`, {
      path,
    });
  }
  const part = `${path}.part`;
  await mkdir(dirname(path), { recursive: true }).catch((error: unknown) => {
    throw writeError(dirname(path), error);
  });
  if (!checksum) await rm(part, { force: true });
  let resumed = (await sizeOf(part)) > 0;
  const attempt = async () => {
    for (;;) {
      await fetchRest(url, part, options);
      if (!checksum) return;
      const got = await fileChecksum(part, checksum);
      if (got === checksum) return;
      await rm(part);
      if (!resumed)
        throw new UserError(
          `${url}: expected ${checksum}, got ${got}; it is another version or was changed on the way`,
          { url, got },
        );
      resumed = false;
    }
  };
  await persist(url, attempt, () => sizeOf(part), options, checksum ? '; run again to resume' : '');
  await rename(part, path);
}

/** Appends the missing bytes to the part file. */
async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const response = await request(new URL(url), have > 0 ? `bytes=${have}-` : undefined, options);
  try {
    const { statusCode = 0, headers } = response;
    const [, first, all] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
    if (statusCode === 416 && Number(all) === have) return;
    if (statusCode === 416 || (statusCode === 206 && Number(first) !== have)) {
      await rm(part, { force: true });
      throw new Dropped('the server refused to resume');
    }
    checkStatus(url, statusCode);
    let bytes = statusCode === 206 ? have : 0;
    const length = headers['content-length'];
    const total = length === undefined ? undefined : bytes + Number(length);
    // Nothing may be awaited between the head of the answer and `drain`, or a drop in between would go unheard.
    const file = openSync(part, statusCode === 206 ? 'a' : 'w');
    try {
      await drain(response, (chunk) => {
        writeSync(file, chunk);
        bytes += chunk.length;
        options.progress?.(bytes, total);
      });
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (total !== undefined && bytes < total) throw new Dropped('the connection closed early');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof Dropped || error instanceof UserError) throw error;
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EACCES' || code === 'EROFS')
      throw new UserError(
        `${part}: expected a disk with room for the file, got ${code}`,
        { path: part },
        { cause: error },
      );
    throw new Dropped(code ?? String(error), { cause: error });
  } finally {
    response.destroy();
  }
}

/** A file's checksum by the same method as `like`, spelled in the same way. */
async function fileChecksum(path: string, like: string): Promise<string> {
  const method = like.split(':')[0]!;
  const hash = createHash(method === 'git' ? 'sha1' : method);
  if (method === 'git') hash.update(`blob ${await sizeOf(path)}\0`);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `${method}:${hash.digest('hex')}`;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
