import { UserError } from '../base/errors.js';
import { sayOnce } from '../base/say.js';
import { checkedUrl, checkStatus, Dropped, drain, type Persistence, persist, request } from './http.js';

/** The most bytes that are held in memory for one answer. */
const LARGEST = 2 ** 30;

/** Which bytes of an address to fetch. */
export interface FetchOptions extends Persistence {
  /** The first byte. Default 0. */
  readonly offset?: number;
  /** The number of bytes. Default: to the end. */
  readonly length?: number;
  /** Takes fewer bytes where the file ends. Default false: that is an error. */
  readonly atMost?: boolean;
  /** The size that the file must have, if the server states one. */
  readonly total?: number | undefined;
}

/**
 * Bytes of a file over HTTP(S), by a Range request; a connection that drops is taken up where it broke. A server that
 * ignores ranges is read from the start, and what was not asked for is passed over.
 *
 * @throws UserError for an address that is not HTTP(S), a refusal (404, …), a file that ends before the range does, more
 *   than 1 GiB, or too many drops in a row
 */
export async function fetchBytes(url: string, options: FetchOptions = {}): Promise<Buffer> {
  const { offset = 0, length } = options;
  const address = checkedUrl(url);
  let wanted = length ?? LARGEST;
  if (wanted > LARGEST || wanted < 0) throw tooLarge(url, wanted);
  if (wanted === 0) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  let have = 0;
  const attempt = async () => {
    const from = offset + have;
    const range = length === undefined ? `bytes=${from}-` : `bytes=${from}-${offset + length - 1}`;
    const response = await request(address, from > 0 || length !== undefined ? range : undefined, options);
    try {
      const { statusCode = 0, headers } = response;
      const [, start, all] = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headers['content-range'] ?? '') ?? [];
      const total = Number(all ?? (statusCode === 200 ? headers['content-length'] : undefined));
      if (options.total !== undefined && total >= 0 && total !== options.total)
        throw new UserError(
          `${url}: expected a file of ${options.total} bytes, got ${total}; it was changed since it was indexed`,
          { url },
        );
      if (length !== undefined && total < offset + length && options.atMost)
        wanted = Math.max(0, total - offset);
      else if (length !== undefined && (total < offset + length || statusCode === 416))
        throw new UserError(`${url}: expected ${offset + length} bytes or more, got fewer; fetch it again`, {
          url,
        });
      if (have >= wanted) return;
      checkStatus(url, statusCode);
      const first = Number(start);
      if (statusCode === 206 && first !== from) throw new Dropped('the server sent another range');
      let skip = statusCode === 206 ? 0 : from;
      if (skip > 0)
        sayOnce(
          `ranges of ${address.origin}`,
          `${url}: the server ignores ranges; reading from the start again`,
        );
      // An answer that ends with the range is read to its end, so that the connection serves the next request.
      const exact = statusCode === 206 && Number(headers['content-length']) === wanted - have;
      await drain(response, (chunk) => {
        const rest = chunk.subarray(Math.min(skip, chunk.length));
        skip -= chunk.length - rest.length;
        const part = rest.subarray(0, wanted - have);
        parts.push(part);
        have += part.length;
        if (length === undefined && have >= LARGEST) throw tooLarge(url, have);
        return length === undefined || have < wanted || exact;
      });
      if (length !== undefined && have < wanted) throw new Dropped('the answer was too short');
    } finally {
      response.destroy();
    }
  };
  await persist(
    url,
    () => attempt().catch(asDropped),
    () => have,
    options,
  );
  return Buffer.concat(parts);
}

/** What a server says of a file. */
export interface RemoteFile {
  /** Whether it answers range requests, and says of how many bytes. */
  readonly ranges: boolean;
  /** The size in bytes, where it is known. */
  readonly size?: number;
}

/**
 * Asks a server for the first byte of a file: whether it answers ranges, and the file's size.
 *
 * @throws UserError for an address that is not HTTP(S), a refusal (404, …), or too many drops in a row
 */
export async function askFor(url: string, options: Persistence = {}): Promise<RemoteFile> {
  const address = checkedUrl(url);
  const attempt = async (): Promise<RemoteFile> => {
    const response = await request(address, 'bytes=0-0', options);
    response.destroy();
    const { statusCode = 0, headers } = response;
    if (statusCode === 416) return { ranges: true, size: 0 };
    checkStatus(url, statusCode);
    const stated =
      statusCode === 206
        ? /^bytes \d+-\d+\/(\d+)$/.exec(headers['content-range'] ?? '')?.[1]
        : headers['content-length'];
    const size = stated === undefined ? {} : { size: Number(stated) };
    return { ranges: statusCode === 206 && stated !== undefined, ...size };
  };
  return persist(
    url,
    () => attempt().catch(asDropped),
    () => 0,
    options,
  );
}

/**
 * The size of a file over HTTP(S), as the server states it for its first byte.
 *
 * @throws UserError as `askFor`, and for a server that ignores ranges or does not say the size
 */
export async function fetchSize(url: string, options: Persistence = {}): Promise<number> {
  const { ranges, size } = await askFor(url, options);
  if (ranges && size !== undefined) return size;
  throw new UserError(
    `${url}: expected a server that answers range requests and says the file's size, got ${size === undefined ? 'none' : 'the whole file'}; download the file`,
    { url },
  );
}

function asDropped(error: unknown): never {
  if (error instanceof Dropped || error instanceof UserError) throw error;
  throw new Dropped((error as NodeJS.ErrnoException).code ?? String(error), { cause: error });
}

function tooLarge(url: string, bytes: number): UserError {
  return new UserError(`${url}: expected at most ${LARGEST} bytes, got ${bytes}`, { url, bytes });
}
