import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DownloadOptions, download } from '../../src/files/download.js';
import { randomStream } from '../../src/random/random-stream.js';
import {
  type Answer,
  dropAfter,
  type FileServer,
  fallSilent,
  fileServer,
  hangUp,
  ignoreRange,
  overstate,
  status,
  well,
  wrongBytes,
  wrongRange,
} from './file-server.js';

const random = randomStream(3, 'download test');
const body = Buffer.from(Array.from({ length: 100_000 }, () => Math.floor(256 * random())));
const checksum = `sha256:${createHash('sha256').update(body).digest('hex')}`;

describe('download', () => {
  let dir: string;
  let server: FileServer | undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(async () => {
    await server?.close();
    rmSync(dir, { recursive: true });
  });
  const path = () => join(dir, 'deep', 'file.bin');
  const fetchIt = async (answers: Answer[], options: DownloadOptions = {}, file = 'file.bin') => {
    await server?.close();
    server = await fileServer({ 'file.bin': body }, answers);
    await download(server.url + file, path(), { checksum, pause: 1, ...options });
    assert(readFileSync(path()).equals(body));
    assert.deepEqual(readdirSync(join(dir, 'deep')), ['file.bin']);
  };

  it('fetches a file, telling its progress', async () => {
    const told: [number, number | undefined][] = [];
    await fetchIt([well], { progress: (bytes, total) => told.push([bytes, total]) });
    assert.deepEqual(told.at(-1), [body.length, body.length]);
    assert(told.every(([bytes], i) => i === 0 || bytes > told[i - 1]![0]));
  });

  it('does not fetch what is there', async () => {
    await fetchIt([well]);
    await fetchIt([well]);
    assert.deepEqual(server?.ranges, []);
  });

  it('resumes where the connection dropped, as often as it takes', async () => {
    await fetchIt([dropAfter(30_000), dropAfter(50_000), dropAfter(10), well], { tries: 2 });
    assert.deepEqual(server?.ranges, [undefined, 'bytes=30000-', 'bytes=80000-', 'bytes=80010-']);
  });

  it('resumes what an earlier run left', async () => {
    await assert.rejects(fetchIt([dropAfter(30_000), hangUp], { tries: 2 }), {
      name: 'UserError',
      message: /gave up after 2 tries in a row .*run again to resume/,
    });
    assert(!existsSync(path()));
    await fetchIt([well]);
    assert.deepEqual(server?.ranges, ['bytes=30000-']);
  });

  it('starts anew where no checksum would tell another version', async () => {
    await assert.rejects(fetchIt([dropAfter(30_000), hangUp], { tries: 2 }));
    await fetchIt([well], { checksum: undefined });
    assert.deepEqual(server?.ranges, [undefined]);
  });

  it('starts anew where the server ignores the range, or resumes elsewhere', async () => {
    await fetchIt([dropAfter(500), ignoreRange]);
    rmSync(path());
    await fetchIt([dropAfter(500), wrongRange, well]);
    assert.deepEqual(server?.ranges, [undefined, 'bytes=500-', undefined]);
  });

  it('takes a part file that is complete', async () => {
    await assert.rejects(fetchIt([hangUp], { tries: 1 }));
    writeFileSync(`${path()}.part`, body);
    await fetchIt([well]);
    assert.deepEqual(server?.ranges, ['bytes=100000-']);
  });

  it('discards a partial file of another download', async () => {
    for (const stale of [Buffer.alloc(500), Buffer.alloc(200_000)]) {
      await assert.rejects(fetchIt([hangUp], { tries: 1 }));
      writeFileSync(`${path()}.part`, stale);
      await fetchIt([well]);
      rmSync(path());
    }
  });

  it('refuses wrong bytes, and keeps none of them', async () => {
    await assert.rejects(fetchIt([wrongBytes]), {
      name: 'UserError',
      message: /expected sha256:.*, got sha256:/,
    });
    assert.deepEqual(readdirSync(join(dir, 'deep')), []);
  });

  it('refuses an existing file of something else, and leaves it alone', async () => {
    await fetchIt([well]);
    writeFileSync(path(), 'mine');
    await assert.rejects(fetchIt([well]), { name: 'UserError', message: /got another file; remove it/ });
    assert.equal(readFileSync(path(), 'utf8'), 'mine');
  });

  it('tries again after a busy server, hang-ups and silence', async () => {
    const told: string[] = [];
    const retry = (why: string) => told.push(why);
    await fetchIt([status(503), status(429), hangUp, fallSilent, well], { patience: 100, retry });
    assert.equal(server?.ranges.length, 5);
    assert.equal(told.length, 4);
    assert.deepEqual(told.slice(0, 2), ['HTTP 503', 'HTTP 429']);
  });

  it('refuses a file that ends before the size that the server states', async () => {
    await assert.rejects(fetchIt([overstate(100)], { tries: 3 }), /gave up after 3 tries in a row/);
    assert.equal(server?.ranges.length, 3);
    assert.ok(!existsSync(path()));
  });

  it('gives up at once on a refusal', async () => {
    await assert.rejects(fetchIt([well], {}, 'other.bin'), { name: 'UserError', message: /got HTTP 404/ });
    assert.equal(server?.ranges.length, 1);
    await assert.rejects(fetchIt([status(403)]), { name: 'UserError', message: /got HTTP 403/ });
  });

  it('follows a limited number of redirects', async () => {
    await fetchIt([status(302, { location: '/file.bin' }), well]);
    rmSync(path());
    await assert.rejects(fetchIt([status(301, { location: '/file.bin' })]), /redirects without end/);
  });

  it('refuses an address that is not HTTP, given or redirected to, and creates no folder', async () => {
    for (const [address, got] of [
      ['file:///etc/passwd', 'file'],
      ['ftp://127.0.0.1/file.bin', 'ftp'],
      ['not an address', 'none'],
    ] as const) {
      const message = new RegExp(`expected an http or https address.*, got ${got}$`);
      rmSync(join(dir, 'deep'), { recursive: true, force: true });
      await assert.rejects(download(address, path()), { name: 'UserError', message });
      assert(!existsSync(join(dir, 'deep')));
      if (got !== 'none')
        await assert.rejects(fetchIt([status(302, { location: address })]), { name: 'UserError', message });
    }
    await assert.rejects(
      fetchIt([status(302, { location: 'http://[' })]),
      /expected an http or https address, to which/,
    );
  });

  it('stops when it is aborted', async () => {
    const abort = new AbortController();
    const fetching = fetchIt([fallSilent], { signal: abort.signal, progress: () => abort.abort() });
    await assert.rejects(fetching, { name: 'AbortError' });
  });
});
