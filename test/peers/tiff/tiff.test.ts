import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Python } from '../../../bench/peers/python.js';
import { readTiff } from '../../../src/data/images/read-tiff.js';
import { needsPython } from '../python.js';

describe('TIFFs of tifffile', () => {
  let python: Python;
  let dir: string;
  before(async function () {
    python = await needsPython(this, 'tiff', ['tifffile==2026.3.3', 'imagecodecs==2026.3.6', 'numpy==2.3.5']);
    dir = mkdtempSync(join(tmpdir(), 'millrace-tifffile-'));
  });
  after(() => {
    if (dir) rmSync(dir, { recursive: true });
  });

  it('are read to the last value in every layout: together, apart, pages; strips, tiles; packed; any type', async () => {
    const written = await python.json<[name: string, channels: number, values: number[]][]>(
      new URL('tiff_twin.py', import.meta.url),
      [dir],
    );
    assert.equal(written.length, 3 * 22 + 4);
    for (const [name, channels, values] of written) {
      const bands = await readTiff(name, readFileSync(join(dir, `${name}.tif`)));
      assert.deepEqual([bands.width, bands.height, bands.channels], [45, 37, channels], name);
      assert.deepEqual(Array.from(bands.data), values, name);
    }
  });
});
