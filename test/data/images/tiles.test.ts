import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crop } from '../../../src/data/images/crop.js';
import { tilesOf } from '../../../src/data/images/tiles.js';
import { Stitcher } from '../../../src/tasks/segmentation/stitcher.js';

const length = fc.integer({ min: 1, max: 60 });
const cuts = fc.record({
  picture: fc.record({ width: length, height: length }),
  tiles: fc.record({ width: fc.integer({ min: 1, max: 25 }), height: fc.integer({ min: 1, max: 25 }) }),
  overlap: fc.double({ min: 0, max: 0.9, noNaN: true }),
});

describe('tilesOf', () => {
  it('covers every pixel, keeps to the picture where it is large enough, and comes to one end', () => {
    fc.assert(
      fc.property(cuts, ({ picture, tiles, overlap }) => {
        const seen = new Uint8Array(picture.width * picture.height);
        const found = tilesOf(picture, { tiles, overlap });
        for (const { left, top, width, height } of found) {
          assert.deepEqual([width, height], [tiles.width, tiles.height]);
          assert.ok(left === 0 || left + width <= picture.width);
          assert.ok(top === 0 || top + height <= picture.height);
          for (let y = top; y < Math.min(picture.height, top + height); y++)
            for (let x = left; x < Math.min(picture.width, left + width); x++)
              seen[y * picture.width + x] = 1;
        }
        assert.ok(seen.every((one) => one === 1));
        assert.equal(new Set(found.map(({ left, top }) => `${left},${top}`)).size, found.length);
        assert.deepEqual(
          found.map(({ last }) => last),
          found.map((_, i) => i === found.length - 1),
        );
      }),
    );
  });

  it('refuses an overlap that would never end', () => {
    assert.throws(
      () => tilesOf({ width: 9, height: 9 }, { tiles: 3, overlap: 1 }),
      /expected a share from 0 to below 1, got 1; see --tile-overlap/,
    );
  });
});

describe('crop', () => {
  it('is the window, and filled beyond the picture', () => {
    const picture = { width: 3, height: 2 };
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const tile = { left: 1, top: 0, width: 2, height: 2, picture, last: true };
    assert.deepEqual([...crop({ ...picture, data }, tile, 1, 9)], [2, 3, 5, 6]);
    assert.deepEqual(
      [...crop({ ...picture, data }, { ...tile, left: 0, width: 4, height: 3 }, 1, 9)],
      [1, 2, 3, 9, 4, 5, 6, 9, 9, 9, 9, 9],
    );
  });
});

describe('Stitcher', () => {
  it('gives each pixel what all of its tiles say of it, whatever the cut', () => {
    fc.assert(
      fc.property(cuts, ({ picture, tiles, overlap }) => {
        // Tiles that say the same of a pixel: stitching must not change it.
        const logit = (x: number, y: number, k: number) => Math.sin(3 * x + 5 * y + 7 * k);
        const stitcher = new Stitcher(3);
        let stitched: ReturnType<Stitcher['add']>;
        for (const tile of tilesOf(picture, { tiles, overlap })) {
          const logits = new Float32Array(tile.width * tile.height * 3);
          for (let i = 0; i < logits.length; i++) {
            const pixel = Math.floor(i / 3);
            logits[i] = logit(
              tile.left + (pixel % tile.width),
              tile.top + Math.floor(pixel / tile.width),
              i % 3,
            );
          }
          assert.equal(stitched, undefined);
          stitched = stitcher.add(logits, { rows: tile.height, columns: tile.width }, tile);
        }
        const { width, height, probabilities } = stitched!;
        assert.deepEqual([width, height], [picture.width, picture.height]);
        for (let i = 0; i < width * height; i++) {
          const powers = [0, 1, 2].map((k) => Math.exp(logit(i % width, Math.floor(i / width), k)));
          const total = powers.reduce((a, b) => a + b);
          powers.forEach((power, k) => assert.ok(Math.abs(probabilities[3 * i + k]! - power / total) < 1e-5));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('trusts the middle of a tile more than its border, and enlarges logits of another size', () => {
    const picture = { width: 12, height: 8 };
    const [left, right] = tilesOf(picture, { tiles: 8, overlap: 0.5 });
    const stitcher = new Stitcher(2);
    const say = (k: number) => Float32Array.from({ length: 2 * 2 * 2 }, (_, i) => (i % 2 === k ? 9 : -9));
    stitcher.add(say(0), { rows: 2, columns: 2 }, left!);
    const { probabilities } = stitcher.add(say(1), { rows: 2, columns: 2 }, right!)!;
    const row = Array.from({ length: 12 }, (_, x) => probabilities[2 * x]!);
    row.forEach((p, x) => assert.ok(x === 0 || p <= row[x - 1]! + 1e-6, row.join()));
    assert.ok(row[3]! > 0.999 && row[8]! < 0.001 && row[5]! > 0.5 && row[6]! < 0.5, row.join());
  });
});
