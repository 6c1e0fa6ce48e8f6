import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';
import { openParquet } from '../../../src/data/parquet/parquet.js';
import { read } from '../../../src/data/source.js';
import { needsPython } from '../python.js';

/** Options of pyarrow's writer. */
const CASES = [
  ...['snappy', 'gzip', 'zstd', 'brotli', 'none'].map((compression) => ({ name: compression, compression })),
  { name: 'second', data_page_version: '2.0', compression: 'zstd' },
  { name: 'plain', use_dictionary: false, data_page_size: 300, write_batch_size: 1 },
  { name: 'groups', row_group_size: 7 },
  {
    name: 'deltas',
    use_dictionary: false,
    column_encoding: {
      'image.bytes': 'DELTA_LENGTH_BYTE_ARRAY',
      mask: 'DELTA_BYTE_ARRAY',
      label: 'DELTA_BINARY_PACKED',
      group: 'DELTA_BYTE_ARRAY',
      weight: 'BYTE_STREAM_SPLIT',
    },
  },
];

describe('Parquet files of pyarrow', () => {
  let python: Python;
  let dir: string;
  before(async function () {
    python = await needsPython(this, 'parquet', ['pyarrow==26.0.1']);
    dir = mkdtempSync(join(tmpdir(), 'millrace-pyarrow-'));
  });
  after(() => {
    if (dir) rmSync(dir, { recursive: true });
  });

  it('are read in every codec, version and encoding', async () => {
    const twin = new URL('parquet_twin.py', import.meta.url);
    const contents = await python.json<string[]>(twin, [dir], CASES);
    for (const { name } of CASES) {
      const items = [...(await openParquet(join(dir, `${name}.parquet`), { needs: 'mask' }))];
      assert.equal(items.length, contents.length);
      for (const [k, { image, mask, className, group, weight }] of items.entries()) {
        assert.equal((await read(image, 'an image')).toString('hex'), contents[k], `${name} ${k}`);
        assert.equal((await read(mask, 'a mask')).toString('hex'), contents[k % 3], `${name} ${k}`);
        const own = k % 7 === 0 ? undefined : ['cat', 'dog', 'owl'][k % 3];
        assert.deepEqual([className, group, weight], [own, `p${Math.floor(k / 5)}`, k / 4], `${name} ${k}`);
      }
    }
  });

  it('in another codec are refused with its name', async () => {
    await python.json(
      new URL('parquet_twin.py', import.meta.url),
      [dir],
      [{ name: 'lz4', compression: 'lz4' }],
    );
    await assert.rejects(
      openParquet(join(dir, 'lz4.parquet')),
      /lz4.parquet: expected pages of the column label in row group 0, got compressed as LZ4\w*, of which only/,
    );
  });
});
