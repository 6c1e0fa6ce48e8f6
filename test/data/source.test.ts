import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { decode } from '../../operators/decode.js';
import { memoryCache } from '../../src/data/images/memory-cache.js';
import { type ByteRange, isLocal, nameOf, read, type Source, stampOf } from '../../src/data/source.js';
import { checkPairs } from '../../src/tasks/segmentation/check-files.js';
import { checkMasks } from '../../src/tasks/segmentation/check-masks.js';
import { type FileServer, fileServer, hangUp, ranged } from '../files/file-server.js';
import { png } from './images/png-writer.js';

const SIDE = 4;
const image = png(
  { width: SIDE, height: SIDE, depth: 8, colour: 2 },
  Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (37 * i) % 256),
);
const mask = png(
  { width: SIDE, height: SIDE, depth: 8, colour: 0 },
  Array.from({ length: SIDE * SIDE }, (_, i) => i % 2),
);

describe('sources', () => {
  let dir: string;
  let server: FileServer;
  const whole = Buffer.concat([Buffer.alloc(100, 1), image, Buffer.alloc(50, 2), mask, Buffer.alloc(9, 3)]);
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-source-'));
    writeFileSync(join(dir, 'image.png'), image);
    writeFileSync(join(dir, 'mask.png'), mask);
    writeFileSync(join(dir, 'whole.bin'), whole);
    server = await fileServer({ 'image.png': image, 'mask.png': mask, 'whole.bin': whole }, [ranged]);
  });
  after(async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  });

  const range = (file: string, offset: number, length: number): ByteRange => ({
    kind: 'range',
    file,
    offset,
    length,
    name: `${file}@${offset}`,
  });
  const places = (): Record<string, [image: Source, mask: Source]> => ({
    files: [join(dir, 'image.png'), join(dir, 'mask.png')],
    'ranges of a file': [
      range(join(dir, 'whole.bin'), 100, image.length),
      range(join(dir, 'whole.bin'), 150 + image.length, mask.length),
    ],
    addresses: [`${server.url}image.png`, `${server.url}mask.png`],
    'ranges of an address': [
      range(`${server.url}whole.bin`, 100, image.length),
      range(`${server.url}whole.bin`, 150 + image.length, mask.length),
    ],
    memory: [
      { kind: 'bytes', bytes: image, name: 'image in memory' },
      { kind: 'bytes', bytes: mask, name: 'mask in memory' },
    ],
  });

  for (const place of ['files', 'ranges of a file', 'addresses', 'ranges of an address', 'memory'])
    it(`an image and its mask in ${place} are checked, decoded and cached alike`, async () => {
      const [at, maskAt] = places()[place]!;
      const pair = { stem: 'a', image: at, mask: maskAt };
      assert.deepEqual(await read(at, 'an image'), image);
      await checkPairs([pair]);
      assert.deepEqual(await checkMasks([pair], { ids: [0, 1] }), []);
      const cache = memoryCache();
      const plan = { item: pair, seed: 1, epoch: 1, index: 0 };
      const load = () =>
        lastValueFrom(from([plan, plan]).pipe(decode(2, { ids: [0, 1], cache, concurrency: 1 }), toArray()));
      const [sample, again] = await load();
      const files = { stem: 'a', image: join(dir, 'image.png'), mask: join(dir, 'mask.png') };
      const expected = await lastValueFrom(from([{ ...plan, item: files }]).pipe(decode(2, { ids: [0, 1] })));
      assert.deepEqual([sample!.image, sample!.mask], [expected.image, expected.mask]);
      assert.deepEqual([again!.image, again!.mask], [expected.image, expected.mask]);
    });

  it('say whether they are on this machine', () => {
    const local = Object.entries(places()).map(([place, [at]]) => [place, isLocal(at)]);
    assert.deepEqual(Object.fromEntries(local), {
      files: true,
      'ranges of a file': true,
      addresses: false,
      'ranges of an address': false,
      memory: true,
    });
  });

  it('have a stamp each, that of a file changing with it', async () => {
    const path = join(dir, 'changing.bin');
    writeFileSync(path, 'first');
    const sources = [path, range(path, 0, 2), range(path, 1, 2), range(path, 0, 3)];
    const before = await Promise.all(sources.map(stampOf));
    assert.equal(new Set(before).size, sources.length);
    utimesSync(path, 1, 1);
    const now = await Promise.all(sources.map(stampOf));
    assert.equal(new Set([...before, ...now]).size, 2 * sources.length);
  });

  it('are named where they cannot be read', async () => {
    const short = range(join(dir, 'whole.bin'), whole.length - 5, 10);
    await assert.rejects(
      read(short, 'an image'),
      /whole.bin: expected bytes \d+ to \d+, got a file of \d+; it was changed/,
    );
    const gone = range(join(dir, 'gone.tar'), 0, 10);
    await assert.rejects(read(gone, 'a mask'), {
      name: 'UserError',
      message: `${nameOf(gone)}: expected a mask, got nothing there`,
    });
    const empty: Source = { kind: 'bytes', bytes: new Uint8Array(2), name: 'row 7' };
    await assert.rejects(read(empty, 'an image'), /^UserError: row 7: expected an image, got 2 bytes/);
    await assert.rejects(
      read(`${server.url}gone.png`, 'an image'),
      /gone.png: expected the file, got HTTP 404/,
    );
  });

  it('of a damaged image name it, with the place it lies in', async () => {
    const torn = range(join(dir, 'whole.bin'), 100, image.length - 20);
    await assert.rejects(checkPairs([{ stem: 'a', image: torn }]), /whole.bin@100: expected an image, got/);
  });

  it('far away are checked by the first few alone', async () => {
    const deaf = await fileServer({}, [hangUp]);
    const items = Array.from({ length: 8 }, (_, i) => ({ stem: `${i}`, image: `${server.url}image.png` }));
    await checkPairs([...items, { stem: 'far', image: `${deaf.url}image.png` }]);
    await deaf.close();
  });
});
