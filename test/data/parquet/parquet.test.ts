import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { from, lastValueFrom, toArray } from 'rxjs';
import { decode } from '../../../operators/decode.js';
import { parquet } from '../../../operators/parquet.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { interleave } from '../../../src/data/interleave.js';
import { openParquet } from '../../../src/data/parquet/parquet.js';
import { shard } from '../../../src/data/sequence.js';
import { read, stampOf } from '../../../src/data/source.js';
import { type FileServer, fileServer, ignoreRange, ranged } from '../../files/file-server.js';
import { embedded, type ParquetColumn, parquetBytes } from '../../files/parquet-writer.js';
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

const names = ['cat', 'dog', 'owl'];
const notes = {
  huggingface: JSON.stringify({
    info: { features: { image: { _type: 'Image' }, label: { names, _type: 'ClassLabel' } } },
  }),
};

/** The columns of `count` rows from number `start` on. */
const rowsOf = (start: number, count: number): ParquetColumn[] => {
  const ks = Array.from({ length: count }, (_, i) => start + i);
  return [
    { name: 'image', kind: 'picture', values: ks.map((k) => embedded(picture(k), `${k}.png`)) },
    { name: 'annotation', kind: 'picture', values: ks.map((k) => embedded(mask(k))) },
    { name: 'label', kind: 'INT64', values: ks.map((k) => BigInt(k % 3)) },
    { name: 'group', kind: 'STRING', values: ks.map((k) => `p${k % 2}`) },
    { name: 'weight', kind: 'DOUBLE', values: ks.map((k) => k / 2) },
  ];
};

describe('Parquet files', () => {
  let dir: string;
  let server: FileServer;
  const sizes = [5, 1, 7];
  const pattern = () => join(dir, 'train-*.parquet');
  const written = (name: string, columns: readonly ParquetColumn[], options = {}) => {
    const path = join(dir, name);
    writeFileSync(path, parquetBytes(columns, options));
    return path;
  };
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-parquet-'));
    const files: Record<string, Buffer> = {};
    for (const [i, size] of sizes.entries()) {
      const codec = (['SNAPPY', 'GZIP', 'UNCOMPRESSED'] as const)[i]!;
      files[`train-${i}.parquet`] = parquetBytes(rowsOf(10 * i, size), { codec, rows: 3, page: 200, notes });
      writeFileSync(join(dir, `train-${i}.parquet`), files[`train-${i}.parquet`]!);
    }
    server = await fileServer(files, [ranged]);
  });
  after(async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  });

  it('hold an item a row: image, mask, class, group and weight', async () => {
    const rows = await lastValueFrom(parquet(pattern(), { needs: 'mask' }));
    assert.deepEqual(rows.lengths, [3, 2, 1, 3, 3, 1]);
    assert.deepEqual(
      [...rows].map(({ stem }) => stem),
      sizes.flatMap((size, i) => Array.from({ length: size }, (_, row) => `train-${i}/${row}`)),
    );
    const last = rows.at(12)!;
    assert.deepEqual([last.className, last.label, last.group, last.weight], ['owl', 2, 'p0', 13]);
    for (const [place, k] of [0, 1, 2, 3, 4, 10, 20, 21, 22, 23, 24, 25, 26].entries()) {
      assert.deepEqual(await read(rows.at(place)!.image, 'an image'), picture(k));
      assert.deepEqual(await read(rows.at(place)!.mask, 'a mask'), mask(k));
    }
    assert.equal(last.mask.name, `${join(dir, 'train-2.parquet')}, row group 2, row 0, annotation.bytes`);
    assert.match(await stampOf(last.image), /train-2.parquet:.*:image.bytes:2:0$/);
  });

  it('over HTTP are the same, read by ranges', async () => {
    const far = await openParquet(`${server.url}train-{0..2}.parquet`, { needs: 'mask' });
    const near = await openParquet(pattern(), { needs: 'mask' });
    const samples = (items: typeof near) =>
      lastValueFrom(
        from([...items].map((item, index) => ({ item, seed: 1, epoch: 1, index }))).pipe(
          decode(2, { ids: [0, 1] }),
          toArray(),
        ),
      );
    const bytes = (all: Awaited<ReturnType<typeof samples>>) =>
      all.map((one) => [one.plan.item.stem.split('/')[1], one.image, one.mask]);
    assert.deepEqual(bytes(await samples(far)), bytes(await samples(near)));
    const asked = server.ranges.length;
    await read(far.at(12)!.image, 'an image');
    assert.equal(server.ranges.length, asked, 'a page is read once');
    assert.ok(server.ranges.every((range) => range !== undefined));
  });

  it('of a data set of the hub are found in its cache', async () => {
    const before = process.env['HF_HUB_CACHE'];
    process.env['HF_HUB_CACHE'] = join(dir, 'hub');
    try {
      const data = join(dir, 'hub', 'datasets--me--pets', 'snapshots', 'abc', 'data');
      mkdirSync(data, { recursive: true });
      mkdirSync(join(dir, 'hub', 'datasets--me--pets', 'refs'));
      writeFileSync(join(dir, 'hub', 'datasets--me--pets', 'refs', 'main'), 'abc\n');
      writeFileSync(join(data, 'train-1.parquet'), parquetBytes(rowsOf(4, 2)));
      writeFileSync(join(data, 'train-0.parquet'), parquetBytes(rowsOf(0, 1)));
      const rows = await openParquet('hf://datasets/me/pets/data/train-*.parquet');
      assert.deepEqual(
        [...rows].map(({ stem }) => stem),
        ['train-0/0', 'train-1/0', 'train-1/1'],
      );
      await assert.rejects(
        openParquet('hf://datasets/me/cars/data/*.parquet'),
        /got nothing of this name; download it with hf download --repo-type dataset me\/cars/,
      );
      await assert.rejects(openParquet('hf://me'), /expected hf:\/\/datasets\/owner\/name\/file.parquet/);
    } finally {
      if (before === undefined) delete process.env['HF_HUB_CACHE'];
      else process.env['HF_HUB_CACHE'] = before;
    }
  });

  it('are refused of a server that ignores ranges', async () => {
    const deaf = await fileServer({ 'a.parquet': parquetBytes(rowsOf(0, 2)) }, [ignoreRange]);
    await assert.rejects(
      openParquet(`${deaf.url}a.parquet`),
      /a.parquet: expected a server that answers range requests .* got the whole file; download the file/,
    );
    await deaf.close();
  });

  it('are planned, shared among workers and resumed as any sequence', async () => {
    const items = await openParquet(pattern(), { needs: 'label' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(12), (count, first) => {
        const plan = {
          epochs: 2,
          batchSize: 2,
          seed: 1,
          shuffle: interleave(items.lengths, { cycle: 2, buffer: 3 }),
        };
        const rest = [...batchPlans(items, plan)].slice(first);
        const shared = Array.from({ length: count }, (_, index) => [
          ...shard(batchPlans(items, { ...plan, from: first }), { index, count }),
        ]);
        assert.deepEqual(
          shared.flat().toSorted((a, b) => a.position - b.position),
          rest,
        );
      }),
      { numRuns: 20 },
    );
  });

  it('have their columns by name, of bytes or structs, and classes of texts or numbers', async () => {
    const path = written('named.parquet', [
      { name: 'photo', kind: 'BYTE_ARRAY', values: [picture(1), picture(2)] },
      { name: 'species', kind: 'STRING', values: ['owl', 'cat'] },
      { name: 'count', kind: 'INT32', values: [7, 3] },
    ]);
    const columns = { image: 'photo', label: 'species', weight: 'count' };
    const rows = [...(await openParquet(path, { needs: 'label', columns }))];
    assert.deepEqual(
      rows.map(({ className, label, weight }) => [className, label, weight]),
      [
        ['owl', 1, 7],
        ['cat', 0, 3],
      ],
    );
    assert.deepEqual(await read(rows[1]!.image, 'an image'), picture(2));
    const numbered = await openParquet(path, { needs: 'label', columns: { image: 'photo', label: 'count' } });
    assert.deepEqual(
      [...numbered].map(({ className, label }) => [className, label]),
      [
        ['7', 7],
        ['3', 3],
      ],
    );
  });

  const refused: [what: string, columns: ParquetColumn[], options: object, message: RegExp][] = [
    [
      'no image',
      [{ name: 'x', kind: 'INT32', values: [1] }],
      {},
      /expected a column of pictures as the image, such as image, got x; name it with --columns image=…/,
    ],
    [
      'an image of texts',
      [{ name: 'image', kind: 'STRING', values: ['a'] }],
      {},
      /expected a column of pictures as the image/,
    ],
    [
      'no such column',
      rowsOf(0, 1),
      { columns: { image: 'img' } },
      /expected a column img of pictures, got image, annotation, label/,
    ],
    [
      'a column of another type',
      rowsOf(0, 1),
      { columns: { image: 'label' } },
      /expected a column label of pictures, got one of INT64/,
    ],
    ['no mask', rowsOf(0, 1).slice(0, 1), { needs: 'mask' }, /expected a column of pictures as the mask/],
    [
      'a null label',
      [...rowsOf(0, 2).slice(0, 2), { name: 'label', kind: 'STRING', values: ['a', null] }],
      { needs: 'label' },
      /row group 0, row 1: expected a label in label, got null/,
    ],
    [
      'a weight below 0',
      [...rowsOf(0, 1).slice(0, 2), { name: 'weight', kind: 'DOUBLE', values: [-1] }],
      {},
      /row group 0, row 0: expected a weight from 0 up, got -1/,
    ],
    ['no rows', [{ name: 'image', kind: 'picture', values: [] }], {}, /expected rows, got none/],
  ];
  for (const [what, columns, options, message] of refused)
    it(`with ${what} are refused`, async () => {
      const path = written('refused.parquet', columns);
      await assert.rejects(openParquet(path, options), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(path), error.message);
        return true;
      });
    });

  it('with labels that have no name are refused by row', async () => {
    const path = written(
      'unnamed.parquet',
      [...rowsOf(0, 3).slice(0, 1), { name: 'label', kind: 'INT64', values: [0n, 1n, 9n] }],
      { notes, rows: 2 },
    );
    await assert.rejects(
      openParquet(path),
      /unnamed.parquet, row group 1, row 0: expected a label from 0 to 2, got 9/,
    );
  });

  it('with an empty image are refused when it is read', async () => {
    const path = written('null.parquet', [
      { name: 'image', kind: 'picture', values: [embedded(picture(0)), embedded(null, 'b.png'), null] },
    ]);
    const rows = await openParquet(path);
    for (const row of [1, 2])
      await assert.rejects(
        read(rows.at(row)!.image, 'an image'),
        new RegExp(
          `null.parquet, row group 0, row ${row}, image.bytes: expected the bytes of a picture, got null`,
        ),
      );
    assert.deepEqual(await read(rows.at(0)!.image, 'an image'), picture(0));
  });

  it('that are damaged, gone or changed are named', async () => {
    const whole = parquetBytes(rowsOf(0, 4), { rows: 2, codec: 'UNCOMPRESSED' });
    const path = join(dir, 'broken.parquet');
    const attempt = async (bytes: Buffer) => {
      writeFileSync(path, bytes);
      for (const { image } of await openParquet(path)) await read(image, 'an image');
    };
    await assert.rejects(
      attempt(whole.subarray(0, -9)),
      /broken.parquet: expected a Parquet file, got an end other than PAR1/,
    );
    await assert.rejects(attempt(Buffer.alloc(5)), /expected a Parquet file, got 5 bytes/);
    const long = Buffer.from(whole);
    long.writeUInt32LE(2 ** 31, long.length - 8);
    await assert.rejects(attempt(long), /got a footer of 2147483648 bytes in a file of/);
    const footer = Buffer.from(whole);
    footer.fill(0xff, whole.length - 60, whole.length - 40);
    await assert.rejects(attempt(footer), /broken.parquet: expected a Parquet file, got a damaged footer/);
    const page = Buffer.from(whole);
    page.fill(0xff, 4, 40);
    await assert.rejects(attempt(page), /expected pages of the column image.bytes in row group 0, got/);
    await assert.rejects(
      openParquet(join(dir, 'none.parquet')),
      /none.parquet: expected a Parquet file, got nothing there; see --parquet/,
    );
    await assert.rejects(
      openParquet(join(dir, 'none-*.parquet')),
      /expected Parquet files, got nothing of this name/,
    );
    await assert.rejects(openParquet(dir), /got a folder; name its files/);
    await assert.rejects(openParquet([path, path]), /expected each file once/);
    writeFileSync(path, whole);
    const rows = await openParquet(path);
    writeFileSync(path, parquetBytes(rowsOf(0, 1)));
    utimesSync(path, 1, 1);
    await assert.rejects(
      read(rows.at(3)!.image, 'an image'),
      /expected a Parquet file, got one without row 1 of the column/,
    );
  });
});
