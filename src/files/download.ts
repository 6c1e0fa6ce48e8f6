import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../base/errors.js';
import { writeError } from './write-error.js';

/** How to fetch a file. */
export interface DownloadOptions {
  /** The expected checksum of the whole file: `md5:…` or `sha256:…` in hexadecimal digits. */
  readonly checksum?: string;
  /** The number of tries in a row without new bytes before it gives up; default 5. */
  readonly tries?: number;
  /**
   * Milliseconds before the second try, doubled before each further one up to half a minute; default 1000.
   */
  readonly pause?: number;
  /** Milliseconds of silence after which a connection counts as dropped; default 30 000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Called when a try failed and another one follows after some seconds. */
  retry?(why: string, seconds: number): void;
  /** Called with the bytes received, and the total if the server states it. */
  progress?(bytes: number, total: number | undefined): void;
}

/** A failure that a retry may fix. */
class Dropped extends Error {}

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
  const { checksum, tries = 5, pause = 1000, signal } = options;
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
  for (let failed = 0; ; ) {
    const before = await sizeOf(part);
    try {
      await fetchRest(url, part, options);
      if (!checksum) break;
      const got = await fileChecksum(part, checksum);
      if (got === checksum) break;
      await rm(part);
      if (!resumed)
        throw new UserError(
          `${url}: expected ${checksum}, got ${got}; it is another version or was changed on the way`,
          {
            url,
            got,
          },
        );
      resumed = false;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Dropped)) throw error;
      failed = (await sizeOf(part)) > before ? 1 : failed + 1;
      if (failed >= tries)
        throw new UserError(
          `${url}: gave up after ${tries} tries in a row (${error.message}); run again to resume`,
          { url },
        );
      const wait = Math.min(30_000, pause * 2 ** (failed - 1));
      options.retry?.(error.message, wait / 1000);
      await sleep(wait, undefined, { signal });
    }
  }
  await rename(part, path);
}

/** Appends the missing bytes to the part file. */
async function fetchRest(url: string, part: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(part);
  const response = await request(new URL(url), have, options, 5);
  try {
    const { statusCode = 0, headers } = response;
    const [, first, all] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
    if (statusCode === 416 && Number(all) === have) return;
    if (statusCode === 416 || (statusCode === 206 && Number(first) !== have)) {
      await rm(part, { force: true });
      throw new Dropped('the server refused to resume');
    }
    if (statusCode >= 500 || statusCode === 408 || statusCode === 429)
      throw new Dropped(`HTTP ${statusCode}`);
    if (statusCode !== 200 && statusCode !== 206)
      throw new UserError(`${url}: expected the file, got HTTP ${statusCode}; is the address right?`, {
        url,
        statusCode,
      });

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

/** Passes on each chunk as it arrives, so that a reset that follows loses none of them. */
function drain(response: IncomingMessage, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      try {
        take(chunk);
      } catch (error) {
        response.destroy();
        reject(error);
      }
    });
    response.on('end', resolve);
    response.on('error', reject);
    response.on('close', () => reject(new Dropped('the connection closed early')));
  });
}

/** The response to a GET from byte `from` on, after redirects; bytes come as stored, never decompressed. */
function request(
  url: URL,
  from: number,
  options: DownloadOptions,
  redirects: number,
): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
  return new Promise((resolve, reject) => {
    const exchange = get(
      url,
      { headers, signal: options.signal, timeout: options.patience ?? 30_000 },
      (response) => {
        const { statusCode = 0, headers: answer } = response;
        if (statusCode < 300 || statusCode >= 400 || !answer.location) return resolve(response);
        response.resume();
        if (redirects === 0)
          return reject(new UserError(`${url}: expected a file, got redirects without end`));
        // In a promise, so that an address that is none is this one's error and no uncaught one.
        resolve(
          Promise.resolve(answer.location).then((to) =>
            request(checkedUrl(to, url), from, options, redirects - 1),
          ),
        );
      },
    );
    exchange.on('timeout', () => exchange.destroy(new Dropped('silence')));
    exchange.on('error', (error: NodeJS.ErrnoException) =>
      reject(error instanceof Dropped ? error : new Dropped(error.code ?? error.message, { cause: error })),
    );
  });
}

/** Parses an address. @throws UserError unless it is of HTTP or HTTPS. */
function checkedUrl(address: string, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new UserError(
    `${address}: expected an http or https address${base ? `, to which ${base} redirects` : ''}, got ${url ? url.protocol.slice(0, -1) : 'none'}`,
    { url: address },
  );
}

/** A file's checksum by the same method as `like`, spelled in the same way. */
async function fileChecksum(path: string, like: string): Promise<string> {
  const method = like.split(':')[0]!;
  const hash = createHash(method);
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `${method}:${hash.digest('hex')}`;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
