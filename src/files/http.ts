import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../base/errors.js';

/** How often and how long a server is asked. */
export interface Persistence {
  /** The number of tries in a row without new bytes before it gives up; default 5. */
  readonly tries?: number;
  /**
   * Milliseconds before the second try, doubled before each further one up to half a minute; default 1000.
   */
  readonly pause?: number;
  /** Milliseconds of silence after which a connection counts as dropped; default 30 000. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Further headers, for the server of the address alone: a redirect elsewhere does not get them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called when a try failed and another one follows after some seconds. */
  retry?(why: string, seconds: number): void;
}

/** A failure that a retry may fix. */
export class Dropped extends Error {}

/** The most redirects in a row. */
const REDIRECTS = 5;

/** Whether a text is an address of HTTP(S) rather than a path. */
export function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/** Parses an address. @throws UserError unless it is of HTTP or HTTPS. */
export function checkedUrl(address: string, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new UserError(
    `${address}: expected an http or https address${base ? `, to which ${base} redirects` : ''}, got ${url ? url.protocol.slice(0, -1) : 'none'}`,
    { url: address },
  );
}

/**
 * The response to a GET of a range (`bytes=…`, or of everything), after redirects; bytes come as stored, never
 * decompressed.
 */
export function request(
  url: URL,
  range: string | undefined,
  options: Persistence,
  redirects = REDIRECTS,
): Promise<IncomingMessage> {
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  const headers = {
    ...options.headers,
    'accept-encoding': 'identity',
    ...(range !== undefined && { range }),
  };
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
          Promise.resolve(answer.location).then((location) => {
            const to = checkedUrl(location, url);
            const { headers: _own, ...others } = options;
            return request(to, range, to.origin === url.origin ? options : others, redirects - 1);
          }),
        );
      },
    );
    exchange.on('timeout', () => exchange.destroy(new Dropped('silence')));
    exchange.on('error', (error: NodeJS.ErrnoException) => {
      // The server may have closed a connection that was kept while the request was on its way: no fault of either.
      if (exchange.reusedSocket && error.code === 'ECONNRESET')
        return resolve(request(url, range, options, redirects));
      reject(error instanceof Dropped ? error : new Dropped(error.code ?? error.message, { cause: error }));
    });
  });
}

/** Refuses an answer other than the file or the range that was asked for. */
export function checkStatus(url: string, statusCode: number): void {
  if (statusCode >= 500 || statusCode === 408 || statusCode === 429) throw new Dropped(`HTTP ${statusCode}`);
  if (statusCode !== 200 && statusCode !== 206)
    throw new UserError(`${url}: expected the file, got HTTP ${statusCode}; is the address right?`, {
      url,
      statusCode,
    });
}

/** Passes on each chunk as it arrives, so that a reset that follows loses none of them; `false` ends it early. */
export function drain(response: IncomingMessage, take: (chunk: Buffer) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    response.on('data', (chunk: Buffer) => {
      try {
        if (take(chunk) !== false) return;
        resolve();
        response.destroy();
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

/**
 * Tries until `attempt` succeeds, with growing pauses; a try that made `progress` counts from anew.
 *
 * @throws UserError after too many tries in a row without progress; other errors than `Dropped` at once.
 */
export async function persist<T>(
  url: string,
  attempt: () => Promise<T>,
  progress: () => Promise<number> | number,
  { tries = 5, pause = 1000, signal, retry }: Persistence,
  then = '',
): Promise<T> {
  for (let failed = 0; ; ) {
    const before = await progress();
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Dropped)) throw error;
      failed = (await progress()) > before ? 1 : failed + 1;
      if (failed >= tries)
        throw new UserError(`${url}: gave up after ${tries} tries in a row (${error.message})${then}`, {
          url,
        });
      const wait = Math.min(30_000, pause * 2 ** (failed - 1));
      retry?.(error.message, wait / 1000);
      await sleep(wait, undefined, { signal });
    }
  }
}
