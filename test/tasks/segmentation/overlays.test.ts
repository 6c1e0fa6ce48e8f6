import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, readMask } from '../../../src/data/images/image-file.js';
import { type Prediction, writeOverlays } from '../../../src/tasks/segmentation/overlays.js';
import { writeMask, writeOverlay } from '../../../src/tasks/segmentation/write-mask.js';

describe('writeOverlays', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  /** A picture of one colour, two pixels wide and high, left half class 0, right half class 1 or ignored. */
  const row = (title: string, right: number): Prediction => ({
    title,
    width: 2,
    height: 2,
    image: Uint8Array.from({ length: 12 }, (_, i) => [200, 100, 50][i % 3]!),
    target: Uint8Array.of(0, right, 0, right),
    prediction: Uint8Array.of(1, 1, 1, 1),
  });

  it('lays classes half transparent over the picture in grey, panels enlarged to 256 pixels', async () => {
    const path = join(dir, 'overlays.png');
    await writeOverlays(path, [row('one', 1), row('a <&> b', 255)], ['pet', 'ground']);
    const { width, height, data } = await readImage(path);
    assert.deepEqual([width, height], [3 * 256 + 4 * 12, 30 + 2 * (30 + 256 + 12) + 30 + 12]);
    const at = (column: number, line: number, x: number, y: number) => {
      const [left, top] = [12 + column * 268 + x, 60 + line * 298 + y];
      return [...data.subarray(3 * (top * width + left), 3 * (top * width + left) + 3)];
    };
    assert.deepEqual(at(0, 0, 64, 128), [200, 100, 50]);
    // Grey is .299·200 + .587·100 + .114·50 = 124.2; blue #0072B2 and vermilion #D55E00 are mixed with it by halves.
    assert.deepEqual(at(1, 0, 64, 128), [62, 119, 151]);
    assert.deepEqual(at(1, 0, 192, 128), [169, 109, 62]);
    assert.deepEqual(at(2, 0, 64, 128), [169, 109, 62]);
    assert.deepEqual(at(1, 1, 192, 128), [124, 124, 124]);
  });

  it('takes the colours of a palette, in panels, legend, masks and overlays', async () => {
    const colours = ['#0000c0', '#804080'];
    const path = join(dir, 'coloured.png');
    await writeOverlays(path, [row('one', 1)], ['kerb', 'road'], colours);
    const { width, data } = await readImage(path);
    const at = (x: number, y: number) => [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
    // Halves of grey 124.2 and of 0 0 192 and 128 64 128.
    assert.deepEqual(at(12 + 268 + 64, 60 + 128), [62, 62, 158]);
    assert.deepEqual(at(12 + 268 + 192, 60 + 128), [126, 94, 126]);
    assert.deepEqual(at(12 + 6, 60 + 256 + 12 + 12), [0, 0, 192]);
    const mask = join(dir, 'mask.png');
    await writeMask(mask, row('one', 1), [7, 9], colours);
    assert.deepEqual([...(await readMask(mask)).data], [9, 9, 9, 9]);
    assert.deepEqual([...(await readImage(mask)).data.subarray(0, 3)], [128, 64, 128]);
    const overlay = join(dir, 'overlay.jpg');
    await writeOverlay(overlay, row('one', 1), colours);
    const [r, g, b] = (await readImage(overlay)).data;
    assert.ok(Math.abs(r! - 126) < 4 && Math.abs(g! - 94) < 4 && Math.abs(b! - 126) < 4);
  });

  it('draws two panels, and no score, of pictures without masks', async () => {
    const path = join(dir, 'bare.png');
    const { target: _, ...bare } = row('one', 1);
    await writeOverlays(path, [bare], ['pet', 'ground']);
    const { width, data } = await readImage(path);
    assert.equal(width, 2 * 256 + 3 * 12);
    const at = (column: number) => {
      const first = 3 * (188 * width + 12 + column * 268 + 64);
      return [...data.subarray(first, first + 3)];
    };
    assert.deepEqual(
      [at(0), at(1)],
      [
        [200, 100, 50],
        [169, 109, 62],
      ],
    );
    const above = [...data.subarray(3 * 48 * width, 3 * 56 * width)].filter(
      (byte, i) => i % (3 * width) >= 3 * 280 && byte < 200,
    );
    assert.deepEqual(above, []);
  });

  it('takes titles of any length, names with control characters, and a legend of several lines', async () => {
    const path = join(dir, 'long.png');
    const names = Array.from({ length: 20 }, (_, c) => `class of number ${c}`);
    await writeOverlays(path, [row(`\u0001${'long '.repeat(100)}`, 1)], names);
    const { height } = await readImage(path);
    // Each entry takes 18 + 6 + 24 and .64·18 a letter of "class of number 10": three fit beside each other.
    assert.equal(height, 30 + 298 + 7 * 30 + 12);
  });
});
