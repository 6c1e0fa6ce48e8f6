import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { diskCache } from '../../../src/data/images/disk-cache.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';
import type { SampleCache } from '../../../src/data/images/sample-cache.js';
import { type LoadOptions, loadSample } from '../../../src/tasks/segmentation/load-sample.js';
import { png } from '../../data/images/png-writer.js';

describe('loadSample', () => {
  let dir: string;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-samples-'));
    await image(8, 8);
    mask(8, 8, (i) => (i % 3) + 1);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const image = async (width: number, height: number, red = 90) => {
    const create = { width, height, channels: 3 as const, background: { r: red, g: 60, b: 30 } };
    writeFileSync(join(dir, 'a.jpg'), await sharp({ create }).png().toBuffer());
  };
  const mask = (width: number, height: number, id: (i: number) => number) => {
    const ids = Array.from({ length: width * height }, (_, i) => id(i));
    writeFileSync(join(dir, 'a.png'), png({ width, height, depth: 8, colour: 0 }, ids));
  };
  const load = (size: number, options?: LoadOptions) => {
    const pair = { stem: 'a', image: join(dir, 'a.jpg'), mask: join(dir, 'a.png') };
    return loadSample({ item: pair, seed: 1, epoch: 1, index: 0 }, size, options);
  };

  it('gives bytes at the asked size and classes for ids', async () => {
    const sample = await load(4);
    assert.deepEqual([sample.width, sample.height, sample.image.length], [4, 4, 48]);
    assert.deepEqual([...sample.image.subarray(0, 3)], [90, 60, 30]);
    // the nearest of 8 × 8 to the centres of 4 × 4: columns and rows 1, 3, 5, 7; ids are i mod 3 + 1
    assert.deepEqual(
      [...sample.mask.subarray(0, 4)],
      [9, 11, 13, 15].map((i) => i % 3),
    );
  });

  it('takes ids as a list, 255 among them, or as a map that may ignore some', async () => {
    mask(8, 8, (i) => (i % 2) * 255);
    assert.deepEqual([...(await load(8, { ids: [0, 255] })).mask.subarray(0, 3)], [0, 1, 0]);
    assert.deepEqual([...(await load(8, { ids: [0, 1] })).mask.subarray(0, 3)], [0, 255, 0]);
    mask(8, 8, (i) => (i % 3) + 1);
    assert.deepEqual([...(await load(8, { ids: { 1: 0, 2: 1, 3: 255 } })).mask.subarray(0, 3)], [0, 1, 255]);
  });

  it('names the file and the id that is not declared', async () => {
    mask(8, 8, (i) => (i === 63 ? 7 : 1));
    await assert.rejects(load(2), /a\.png: expected the ids 1, 2, 3 \(or 255 for ignored\), got 7/);
  });

  it('names both sizes where they differ', async () => {
    mask(8, 6, () => 1);
    await assert.rejects(load(8), /a\.png: expected the size of .*a\.jpg, 8×8, got 8×6/);
  });

  describe('caches', () => {
    const counted = (cache: SampleCache) => {
      const hits = { count: 0 };
      const get: SampleCache['get'] = async (key, size) => {
        const found = await cache.get(key, size);
        if (found) hits.count++;
        return found;
      };
      return { hits, cache: { get, set: cache.set } };
    };
    const kinds: [string, () => SampleCache][] = [
      ['memory', () => memoryCache()],
      ['disk', () => diskCache(join(dir, 'cache'))],
    ];
    for (const [kind, make] of kinds)
      it(`${kind}: the second time decodes nothing and gives the same`, async () => {
        const { hits, cache } = counted(make());
        const first = await load(4, { cache });
        const second = await load(4, { cache });
        assert.equal(hits.count, 1);
        assert.deepEqual(Buffer.from(second.image), Buffer.from(first.image));
        assert.deepEqual(Buffer.from(second.mask), Buffer.from(first.mask));
      });

    for (const [kind, make] of kinds)
      it(`${kind}: another size, other ids and a changed file are other samples`, async () => {
        const { hits, cache } = counted(make());
        await load(4, { cache });
        await load(2, { cache });
        await load(4, { cache, ids: [3, 2, 1] });
        await image(8, 8, 200);
        utimesSync(join(dir, 'a.jpg'), 1, 1);
        assert.equal((await load(4, { cache })).image[0], 200);
        assert.equal(hits.count, 0);
      });

    it('memory: takes no more than its limit', async () => {
      const { hits, cache } = counted(memoryCache({ maxBytes: 100 }));
      for (const size of [4, 5, 4, 5]) await load(size, { cache }); // 64 bytes, then 100 that no longer fit
      assert.equal(hits.count, 1);
    });

    it('disk: a damaged or shortened entry is decoded again, and mended', async () => {
      const folder = join(dir, 'cache');
      const reopened = () => counted(diskCache(folder));
      const first = await load(4, reopened());
      const path = join(folder, readdirSync(folder).find((name) => name.endsWith('.samples'))!);
      const whole = readFileSync(path);
      const flipped = Buffer.from(whole);
      flipped[50]! ^= 1;
      for (const damaged of [flipped, whole.subarray(0, 60), Buffer.alloc(0)]) {
        rmSync(folder, { recursive: true });
        await load(4, reopened());
        writeFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.samples'))!), damaged);
        for (const hits of [0, 1]) {
          const { cache, hits: counted } = reopened();
          assert.deepEqual((await load(4, { cache })).image, first.image);
          assert.equal(counted.count, hits);
        }
      }
    });

    it('disk: a cache that cannot be written does not stop the run', async () => {
      writeFileSync(join(dir, 'cache'), 'a file');
      assert.equal((await load(4, { cache: diskCache(join(dir, 'cache')) })).image.length, 48);
    });
  });
});
