import assert from 'node:assert/strict';
import { fetchBytes } from '../../src/files/fetch-bytes.js';
import {
  type Answer,
  dropAfter,
  fallSilent,
  fileServer,
  hangUp,
  ignoreRange,
  ranged,
  status,
  wrongRange,
} from './file-server.js';

const body = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 31) % 251));
const quick = { pause: 1, patience: 100 };

describe('fetchBytes', () => {
  const from = async <T>(
    answers: readonly Answer[],
    work: (url: string, ranges: readonly (string | undefined)[]) => Promise<T>,
  ) => {
    const server = await fileServer({ a: body }, answers);
    try {
      return await work(`${server.url}a`, server.ranges);
    } finally {
      await server.close();
    }
  };

  it('fetches a range, and a whole file', () =>
    from([ranged], async (url, ranges) => {
      assert.deepEqual(await fetchBytes(url, { offset: 100, length: 50 }), body.subarray(100, 150));
      assert.deepEqual(await fetchBytes(url), body);
      assert.deepEqual(await fetchBytes(url, { offset: 4000 }), body.subarray(4000));
      assert.deepEqual(await fetchBytes(url, { length: 0 }), Buffer.alloc(0));
      assert.deepEqual(ranges, ['bytes=100-149', undefined, 'bytes=4000-']);
    }));

  it('goes on where a connection dropped, and after silence', () =>
    from([dropAfter(1000), dropAfter(700), fallSilent, hangUp, ranged], async (url, ranges) => {
      assert.deepEqual(await fetchBytes(url, quick), body);
      assert.deepEqual(ranges.slice(0, 3), [undefined, 'bytes=1000-', 'bytes=1700-']);
    }));

  it('finds its range in the answer of a server that sends everything', () =>
    from([ignoreRange], async (url) => {
      assert.deepEqual(await fetchBytes(url, { offset: 3000, length: 10 }), body.subarray(3000, 3010));
    }));

  it('asks for range after range through one connection', async () => {
    const server = await fileServer({ a: body }, [ranged]);
    for (let offset = 0; offset < 500; offset += 50)
      assert.deepEqual(
        await fetchBytes(`${server.url}a`, { offset, length: 50 }),
        body.subarray(offset, offset + 50),
      );
    assert.equal(server.connections(), 1);
    await server.close();
  });

  it('goes on through another connection where the server closed the one that was kept', () =>
    from([ranged, hangUp, ranged], async (url, ranges) => {
      await fetchBytes(url, { ...quick, length: 5 });
      assert.deepEqual(await fetchBytes(url, { ...quick, tries: 1, length: 9 }), body.subarray(0, 9));
      assert.equal(ranges.length, 3);
    }));

  it('tries again for another range than was asked for, and after a busy server', () =>
    from([wrongRange, status(503), ranged], async (url) => {
      assert.deepEqual(await fetchBytes(url, { ...quick, offset: 7, length: 9 }), body.subarray(7, 16));
    }));

  it('gives up after so many tries, and at once on a refusal', async () => {
    await from([hangUp], async (url, ranges) => {
      await assert.rejects(fetchBytes(url, { ...quick, tries: 3 }), /gave up after 3 tries in a row \(.+\)$/);
      assert.equal(ranges.length, 3);
    });
    await from([status(403)], async (url, ranges) => {
      await assert.rejects(fetchBytes(url, quick), /expected the file, got HTTP 403/);
      assert.equal(ranges.length, 1);
    });
    await from([status(416)], (url) =>
      assert.rejects(fetchBytes(url, { offset: 9000, length: 5 }), /expected 9005 bytes or more, got fewer/),
    );
  });

  it('refuses what would not fit into memory, and what is no address', async () => {
    await assert.rejects(
      fetchBytes('http://127.0.0.1:1/', { length: 2 ** 40 }),
      /expected at most \d+ bytes, got 1099511627776/,
    );
    await assert.rejects(fetchBytes('file:///etc/hosts'), /expected an http or https address, got file/);
  });
});
