import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { decode } from '../../../operators/decode.js';
import { shards } from '../../../operators/shards.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { interleave } from '../../../src/data/interleave.js';
import { shard } from '../../../src/data/sequence.js';
import { expandBraces } from '../../../src/data/shards/expand-braces.js';
import { openShards } from '../../../src/data/shards/shards.js';
import { read } from '../../../src/data/source.js';
import { dropAfter, type FileServer, fileServer, ranged } from '../../files/file-server.js';
import { tar } from '../../files/tar-writer.js';
import { png } from '../images/png-writer.js';

const SIDE = 4;
const picture = (k: number) =>
  png(
    { width: SIDE, height: SIDE, depth: 8, colour: 2 },
    Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (37 * i + k) % 256),
  );
const mask = (k: number) =>
  png(
    { width: SIDE, height: SIDE, depth: 8, colour: 0 },
    Array.from({ length: SIDE * SIDE }, (_, i) => (i + k) % 2),
  );

/** A shard of `count` samples from number `start` on. */
const packed = (start: number, count: number) =>
  tar(
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => start + i).flatMap((k): [string, string | Buffer][] => [
        [`pets/${k}.png`, picture(k)],
        [`pets/${k}.seg.png`, mask(k)],
        [`pets/${k}.cls`, `${k % 3}\n`],
        [`pets/${k}.json`, JSON.stringify({ group: `p${k % 2}`, weight: k })],
      ]),
    ),
  );

describe('tar shards', () => {
  let dir: string;
  let server: FileServer;
  const sizes = [3, 1, 4];
  const pattern = () => join(dir, 'data-{00..02}.tar');
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-shards-'));
    const files: Record<string, Buffer> = {};
    sizes.forEach((size, i) => {
      files[`data-0${i}.tar`] = packed(10 * i, size);
      writeFileSync(join(dir, `data-0${i}.tar`), files[`data-0${i}.tar`]!);
    });
    server = await fileServer(files, [ranged]);
  });
  after(async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  });

  it('hold a sample for each key: image, mask, class, group and weight', async () => {
    const items = await lastValueFrom(shards(pattern(), { needs: 'mask' }));
    assert.deepEqual(items.lengths, sizes);
    assert.deepEqual(
      [...items].map(({ stem }) => stem),
      [
        '00/pets/0',
        '00/pets/1',
        '00/pets/2',
        '01/pets/10',
        '02/pets/20',
        '02/pets/21',
        '02/pets/22',
        '02/pets/23',
      ].map((stem) => `data-${stem}`),
    );
    const last = items.at(7)!;
    assert.deepEqual([last.className, last.label, last.group, last.weight], ['2', 2, 'p1', 23]);
    assert.deepEqual(await read(last.image, 'an image'), picture(23));
    assert.deepEqual(await read(last.mask, 'a mask'), mask(23));
    assert.equal(last.mask.name, `${join(dir, 'data-02.tar')}/pets/23.seg.png`);
  });

  it('over HTTP are the same, read by ranges that are retried', async () => {
    const indexDir = join(dir, 'indices');
    const far = await openShards(`${server.url}data-{00..02}.tar`, { needs: 'mask', indexDir });
    const near = await openShards(pattern(), { needs: 'mask' });
    assert.deepEqual(
      [...far].map(({ stem }) => stem),
      [...near].map(({ stem }) => stem),
    );
    const samples = (items: typeof near) =>
      lastValueFrom(
        from([...items].map((item, index) => ({ item, seed: 1, epoch: 1, index }))).pipe(
          decode(2, { ids: [0, 1] }),
          toArray(),
        ),
      );
    const bytes = (all: Awaited<ReturnType<typeof samples>>) => all.map((one) => [one.image, one.mask]);
    assert.deepEqual(bytes(await samples(far)), bytes(await samples(near)));
    const asked = server.ranges.length;
    await openShards(`${server.url}data-{00..02}.tar`, { needs: 'mask', indexDir });
    assert.equal(server.ranges.length, asked, 'an index is made once');
    const shaky = await fileServer({ 'a.tar': packed(0, 2) }, [ranged, dropAfter(700), ranged]);
    assert.equal((await openShards(`${shaky.url}a.tar`, { indexDir })).length, 2);
    await shaky.close();
  });

  it('that have another length than their index says are refused', async () => {
    const files = { 'b.tar': packed(0, 2) };
    const changing = await fileServer(files, [ranged]);
    const [first] = await openShards(`${changing.url}b.tar`, { indexDir: join(dir, 'changing') });
    files['b.tar'] = Buffer.concat([files['b.tar'], Buffer.alloc(512)]);
    await assert.rejects(
      read(first!.image, 'an image'),
      /b.tar: expected a file of \d+ bytes, got \d+; it was changed/,
    );
    await changing.close();
    const path = join(dir, 'local.tar');
    writeFileSync(path, packed(0, 2));
    const [near] = await openShards(path);
    writeFileSync(path, packed(0, 3));
    await assert.rejects(
      read(near!.image, 'an image'),
      /local.tar: expected a file of \d+ bytes, got \d+; it was changed/,
    );
  });

  it('are indexed once, and anew when they change', async () => {
    const path = join(dir, 'changing.tar');
    writeFileSync(path, packed(0, 2));
    await openShards(path);
    writeFileSync(`${path}.index`, readFileSync(`${path}.index`, 'utf8').replace('pets/1', 'pets/9'));
    assert.deepEqual(
      [...(await openShards(path))].map(({ stem }) => stem),
      ['changing/pets/0', 'changing/pets/9'],
    );
    writeFileSync(path, packed(5, 3));
    utimesSync(path, 1, 1);
    assert.equal((await openShards(path)).length, 3);
    assert.ok(readdirSync(dir).includes('changing.tar.index'));
  });

  it('are planned, shared among workers and resumed as any sequence', async () => {
    const items = await openShards(pattern(), { needs: 'label', classes: ['0', '1', '2'] });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(8), (count, from) => {
        const plan = {
          epochs: 2,
          batchSize: 2,
          seed: 1,
          shuffle: interleave(items.lengths, { cycle: 2, buffer: 3 }),
        };
        const rest = [...batchPlans(items, plan)].slice(from);
        const shared = Array.from({ length: count }, (_, index) => [
          ...shard(batchPlans(items, { ...plan, from }), { index, count }),
        ]);
        assert.deepEqual(
          shared.flat().toSorted((a, b) => a.position - b.position),
          rest,
        );
      }),
      { numRuns: 20 },
    );
  });

  const broken: [what: string, bytes: () => Buffer, message: RegExp][] = [
    ['cut short', () => packed(0, 2).subarray(0, -2048), /expected a tar archive, got an end in the middle/],
    ['no tar', () => Buffer.alloc(2048, 'x'), /expected a tar archive, got a header whose checksum is wrong/],
    [
      'mixed up',
      () => tar({ 'a.png': picture(0), 'b.png': picture(1), 'a.cls': '1' }),
      /expected the members of a sample one after another, got a.cls apart from others of a/,
    ],
    [
      'of doubles',
      () => Buffer.concat([tar({ 'a.png': '1234' }).subarray(0, -1024), tar({ 'a.png': '1234' })]),
      /expected each member once, got a.png twice/,
    ],
    ['unsafe', () => tar({ '../a.png': picture(0) }), /expected paths below the archive's root/],
  ];
  for (const [what, bytes, message] of broken)
    it(`that are ${what} are refused`, async () => {
      const path = join(dir, 'broken.tar');
      writeFileSync(path, bytes());
      await assert.rejects(openShards(path), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(path));
        return true;
      });
    });

  it('that are missing, and samples that lack something, are named', async () => {
    await assert.rejects(
      openShards(join(dir, 'none-{0..1}.tar')),
      /none-0.tar: expected a tar shard, got nothing there/,
    );
    const path = join(dir, 'poor.tar');
    writeFileSync(path, tar({ 'a.png': picture(0), 'a.cls': 'cat', 'b.txt': 'no image' }));
    const poor = await openShards(path);
    assert.equal(poor.at(0)!.className, 'cat');
    assert.throws(() => poor.at(1), /expected an image \(jpg, .*\) of b, got txt/);
    const paired = await openShards(path, { needs: 'mask' });
    assert.throws(() => paired.at(0), /expected a mask \(.*\) of a, got png, cls/);
    const labelled = await openShards(path, { needs: 'label' });
    assert.throws(() => labelled.at(0), /a whole number, or classes by name, not cat/);
    assert.equal((await openShards(path, { needs: 'label', classes: ['dog', 'cat'] })).at(0)!.label, 1);
    const indexed = await openShards(path);
    truncateSync(`${path}.index`, 120);
    assert.throws(() => indexed.at(0), /expected the index of 2 samples, got one of/);
  });
});

describe('expandBraces', () => {
  it('counts with the digits that are written, in all braces', () => {
    assert.deepEqual(expandBraces('a-{8..10}.tar'), ['a-8.tar', 'a-9.tar', 'a-10.tar']);
    assert.deepEqual(expandBraces('{b,a}-{01..02}.tar'), ['b-01.tar', 'b-02.tar', 'a-01.tar', 'a-02.tar']);
    assert.deepEqual(expandBraces('a{x}.tar'), ['a{x}.tar']);
    assert.equal(expandBraces('a-{0000..9999}.tar').length, 10_000);
  });

  it('refuses what counts backwards or beyond a million', () => {
    assert.throws(() => expandBraces('{3..1}'), /expected a range of 1 to 1000000 numbers, got 3..1/);
    assert.throws(() => expandBraces('{0..99999999}'), /expected a range of/);
    assert.throws(() => expandBraces('{0..9999}{0..9999}'), /expected at most 1000000 names, got 100000000/);
  });
});
