import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { interleave } from '../../../src/data/interleave.js';
import { openShards, type Shards } from '../../../src/data/shards/shards.js';
import { read } from '../../../src/data/source.js';
import { type Answer, fileServer, ignoreRange, ignoreRangeUntil, status } from '../../files/file-server.js';
import { tar } from '../../files/tar-writer.js';

const picture = (k: number) => Buffer.from(Array.from({ length: 700 + k }, (_, i) => (31 * i + k) % 256));
const packed = (...numbers: readonly number[]) =>
  tar(
    Object.fromEntries(
      numbers.flatMap((k) => [
        [`${k}.jpg`, picture(k)],
        [`${k}.cls`, `${k}`],
      ]),
    ),
  );

describe('tar shards of a server without ranges', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-copies-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const files = () => ({
    'a-0.tar': packed(0, 1, 2, 3),
    'a-1.tar': packed(4, 5),
    'a-2.tar': packed(6, 7, 8),
  });
  const served = async (
    answers: readonly Answer[],
    work: (server: Awaited<ReturnType<typeof fileServer>>, open: () => Promise<Shards>) => Promise<void>,
    { shards = files() as Record<string, Buffer>, pattern = 'a-{0..2}.tar' } = {},
  ) => {
    const server = await fileServer(shards, answers);
    try {
      await work(server, () => openShards(server.url + pattern, { indexDir: dir, needs: 'label' }));
    } finally {
      await server.close();
    }
  };
  const copies = () => readdirSync(dir).filter((name) => name.endsWith('.tar'));
  const bytesOf = (items: Shards) => Promise.all([...items].map(({ image }) => read(image, 'an image')));

  it('are copied once, and read from the copy', () =>
    served([ignoreRange], async (server, open) => {
      const items = await open();
      assert.deepEqual(items.lengths, [4, 2, 3]);
      assert.deepEqual(
        await bytesOf(items),
        Array.from({ length: 9 }, (_, k) => picture(k)),
      );
      assert.equal(items.at(4)!.image.name, `${server.url}a-1.tar/4.jpg`);
      assert.equal(server.ranges.length, 6, 'each shard is asked for once, and sent once');
      assert.deepEqual(await bytesOf(await open()), await bytesOf(items));
      assert.equal(server.ranges.length, 6, 'the copies are kept');
      assert.deepEqual(
        readdirSync(dir).filter((name) => !/\.(tar|index)$/.test(name)),
        [],
      );
    }));

  it('are copied anew where a copy is gone or was cut', () =>
    served([ignoreRange], async (server, open) => {
      await open();
      const [first, second] = copies().map((name) => join(dir, name));
      rmSync(first!);
      writeFileSync(second!, readFileSync(second!).subarray(0, 900));
      assert.deepEqual(
        await bytesOf(await open()),
        Array.from({ length: 9 }, (_, k) => picture(k)),
      );
      assert.equal(server.ranges.length, 6 + 4);
    }));

  it('are read on at any position as from the start, in any order', () =>
    served([ignoreRange], async (_, open) => {
      const items = await open();
      const plan = {
        batchSize: 2,
        seed: 5,
        epochs: 2,
        shuffle: interleave(items.lengths, { cycle: 2, buffer: 3 }),
      };
      const read2 = (from: number) =>
        Promise.all(
          [...batchPlans(items, { ...plan, from })].map(({ samples }) =>
            Promise.all(samples.map(({ item }) => read(item.image, 'an image'))),
          ),
        );
      const whole = await read2(0);
      assert.deepEqual(
        whole.slice(0, 5).flat().toSorted(Buffer.compare),
        Array.from({ length: 9 }, (_, k) => picture(k)).toSorted(Buffer.compare),
      );
      for (let from = 1; from <= whole.length; from++) assert.deepEqual(await read2(from), whole.slice(from));
    }));

  const one = { shards: { 'a.tar': packed(0, 1) }, pattern: 'a.tar' };

  it('are tried again where a connection drops in the middle', () =>
    served(
      [ignoreRange, ignoreRangeUntil(900), ignoreRange],
      async (server, open) => {
        assert.deepEqual(await bytesOf(await open()), [picture(0), picture(1)]);
        assert.equal(server.ranges.length, 3);
      },
      one,
    ));

  it('that are cut short are refused, and asked for again the next time', () => {
    const shards = { 'a.tar': packed(0, 1).subarray(0, 2000) };
    return served(
      [ignoreRange],
      async (server, open) => {
        const message = `${server.url}a.tar: expected a tar archive, got an end in the middle; fetch it again`;
        await assert.rejects(open(), { name: 'UserError', message });
        assert.deepEqual(readdirSync(dir), []);
        shards['a.tar'] = packed(0, 1);
        assert.equal((await open()).length, 2);
      },
      { shards, pattern: 'a.tar' },
    );
  });

  it('of which one is missing are refused by its name, and the others no longer fetched', () =>
    served(
      [ignoreRange],
      async (server, open) => {
        await assert.rejects(open(), {
          name: 'UserError',
          message: `${server.url}a-1.tar: expected the file, got HTTP 404; is the address right?`,
        });
        const asked = server.ranges.length;
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(server.ranges.length, asked);
        assert.ok(!existsSync(join(dir, '.lock')));
      },
      { pattern: 'a-{0..1}.tar', shards: { 'a-0.tar': packed(0) } },
    ));

  it('are refused at once where the server refuses them', () =>
    served(
      [status(403)],
      async (server, open) => {
        await assert.rejects(open(), /expected the file, got HTTP 403/);
        assert.equal(server.ranges.length, 1);
      },
      one,
    ));
});
