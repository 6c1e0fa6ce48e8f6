import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCoco } from '../../../src/data/coco/read-coco.js';
import { readManifest } from '../../../src/data/manifest.js';
import { drawn, type Shape } from '../../../src/data/outlines/outlines.js';
import { openParquet } from '../../../src/data/parquet/parquet.js';
import { openShards } from '../../../src/data/shards/shards.js';
import { read } from '../../../src/data/source.js';
import { embedded, parquetBytes } from '../../files/parquet-writer.js';
import { tar } from '../../files/tar-writer.js';
import { mendTar, readMutated, tryMutated, withHostileValue } from '../mutate.js';

describe('readers of items, on mutated inputs', () => {
  let dir: string;
  let stderr: typeof process.stderr.write;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-fuzz-sources-'));
    for (const name of ['a.png', 'b.png', 'm.png']) writeFileSync(join(dir, name), 'bytes');
    // What readers say of ignored columns and new indices, twenty thousand times.
    stderr = process.stderr.write;
    process.stderr.write = () => true;
  });
  after(() => {
    process.stderr.write = stderr;
    rmSync(dir, { recursive: true });
  });
  const file = (bytes: Buffer | string, name: string) => {
    const path = join(dir, name);
    writeFileSync(path, bytes);
    return path;
  };

  it('manifests in CSV', async () => {
    const wholes = [
      'image,mask,label,weight,group\na.png,m.png,cat,1,p\n"b.png",m.png,"a ""dog""",0.5,\n',
      '\ufeffgroup,image\r\np,a.png\r\n\r\nq,b.png\r\n',
    ].map((text) => Buffer.from(text));
    await readMutated('manifest.csv', wholes, (bytes) => readManifest(file(bytes, 'list.csv')));
  });

  it('manifests in JSON Lines', async () => {
    const lines = [
      '{"image":"a.png","mask":"m.png","label":"cat","weight":1}',
      '{"image":"b.png","group":null}',
    ];
    await readMutated('manifest.jsonl', [Buffer.from(lines.join('\n'))], (bytes) =>
      readManifest(file(bytes, 'list.jsonl')),
    );
  });

  it('tar shards and their indices', async () => {
    const whole = tar({
      'a.jpg': 'x'.repeat(700),
      'a.cls': '3',
      'a.json': '{"group":"p"}',
      'b.jpg': 'y'.repeat(20),
      'b.cls': '4',
    });
    let count = 0;
    const all = async (path: string) => {
      for (const { image } of await openShards(path)) await read(image, 'an image');
    };
    const one = async (bytes: Buffer) => {
      // A name of its own, so that its index is made.
      const path = file(bytes, `s${count++}.tar`);
      try {
        await all(path);
      } finally {
        rmSync(path);
        rmSync(`${path}.index`, { force: true });
      }
    };
    await readMutated('shards', [whole], one, mendTar);
    const path = file(whole, 'whole.tar');
    await openShards(path);
    const { readFileSync } = await import('node:fs');
    const index = readFileSync(`${path}.index`);
    await readMutated('indices', [index], (bytes) => {
      writeFileSync(`${path}.index`, bytes);
      return all(path);
    });
  });

  it('Parquet files, and the pictures in them', async () => {
    const bytes = (k: number) => Buffer.alloc(20 + k, k);
    const rows = Array.from({ length: 7 }, (_, k) => k);
    const columns = [
      { name: 'image', kind: 'picture', values: rows.map((k) => embedded(bytes(k), `${k}.png`)) },
      { name: 'mask', kind: 'BYTE_ARRAY', values: rows.map((k) => (k === 3 ? null : bytes(k % 2))) },
      { name: 'label', kind: 'INT64', values: rows.map((k) => BigInt(k % 2)) },
      { name: 'group', kind: 'STRING', values: rows.map((k) => `p${k % 2}`) },
      { name: 'weight', kind: 'DOUBLE', values: rows },
    ] as const;
    const wholes = (['UNCOMPRESSED', 'SNAPPY', 'GZIP'] as const).map((codec) =>
      parquetBytes(columns, { codec, rows: 4, page: 64 }),
    );
    let count = 0;
    const all = async (path: string) => {
      for (const { image, mask } of await openParquet(path)) {
        await read(image, 'an image');
        if (mask) await read(mask, 'a mask').catch((error: Error) => assert.equal(error.name, 'UserError'));
      }
    };
    await readMutated('parquet', wholes, async (bytes) => {
      // A name of its own: what is known of a file goes by its name, time and size.
      const path = file(bytes, `p${count++}.parquet`);
      try {
        await all(path);
      } finally {
        rmSync(path);
      }
    });
  });

  const shape = { id: 1, category_id: 1, image_id: 1, iscrowd: 0 };
  const COCO = {
    images: [{ id: 1, file_name: 'a.png', width: 6, height: 5 }],
    annotations: [
      { ...shape, segmentation: [[0, 0, 6, 0, 0, 5]] },
      { ...shape, segmentation: { counts: '091J1O1O6', size: [5, 6] } },
      { ...shape, iscrowd: 1, segmentation: { counts: [3, 9, 18], size: [5, 6] } },
    ],
    categories: [{ id: 1, name: 'cat' }],
  };
  const draw = async (path: string) => {
    const { pairs } = await readCoco(path);
    for (const { mask } of pairs) drawn(mask);
  };

  it('COCO files, and the masks that they draw', async () => {
    const text = JSON.stringify(COCO);
    await readMutated('coco', [Buffer.from(text)], (bytes) => draw(file(bytes, 'coco.json')));
    await tryMutated('coco values', (random) => draw(file(withHostileValue(text, random), 'coco.json')));
  });

  it('polygons and run lengths of any numbers', async () => {
    await tryMutated('shapes', async (random) => {
      const size = () => Math.floor(random() * 50) + 1;
      const number = () => (random() - 0.3) * 10 ** Math.floor(random() * 6);
      const polygons = [Array.from({ length: 2 * Math.ceil(random() * 6) }, number)];
      const text = Array.from({ length: 12 }, () => String.fromCharCode(46 + random() * 68)).join('');
      const runs = random() < 0.5 ? text : [number(), number()].map(Math.round);
      const shapes: Shape[] = [random() < 0.6 ? { id: 1, polygons } : { id: 1, runs }];
      drawn({ kind: 'outlines', width: size(), height: size(), shapes, name: 'shapes' });
    });
  });
});
