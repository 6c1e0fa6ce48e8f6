import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, readMask } from '../../src/data/images/image-file.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { root, run } from './run.js';

const committed = join(root, 'fixtures', 'creatures');
const files = (folder: string) =>
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => statSync(join(folder, path)).isFile())
    .toSorted();

describe('make-fixtures', () => {
  it('draws the committed pictures again, byte for byte', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    try {
      const { code, stderr } = await run('make-fixtures', ['--out-dir', 'again'], dir);
      assert.deepEqual([code, stderr], [0, '']);
      const again = join(dir, 'again');
      assert.deepEqual(files(again), files(committed));
      for (const file of files(again))
        assert(readFileSync(join(again, file)).equals(readFileSync(join(committed, file))), file);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('holds what it says: pairs of one size, three ids, at most 2 MB', async () => {
    assert(files(committed).reduce((sum, file) => sum + statSync(join(committed, file)).size, 0) < 2e6);
    for (const [domain, pairs] of [
      ['plain', 200],
      ['styled/ink', 20],
      ['styled/mosaic', 20],
      ['styled/neon', 20],
    ] as const) {
      const found = await findPairs(join(committed, domain, 'images'), join(committed, domain, 'masks'));
      assert.equal(found.length, pairs);
      for (const { image, mask } of found) {
        const [picture, ids] = [await readImage(image), await readMask(mask)];
        assert.deepEqual([picture.width, picture.height], [ids.width, ids.height], mask);
        assert.deepEqual([...new Set(ids.data)].toSorted(), [1, 2, 3], mask);
      }
    }
  });

  it('cannot be segmented by a colour threshold', async () => {
    // Were creatures brighter, or of another tint, one of these channel thresholds would find them.
    const pairs = await findPairs(join(committed, 'plain/images'), join(committed, 'plain/masks'));
    const sums = { creature: [0, 0, 0, 0], ground: [0, 0, 0, 0] };
    for (const { image, mask } of pairs) {
      const [{ data }, ids] = [await readImage(image), await readMask(mask)];
      ids.data.forEach((id: number, at: number) => {
        if (id === 3) return;
        const into = id === 1 ? sums.creature : sums.ground;
        for (let c = 0; c < 3; c++) into[c]! += data[at * 3 + c]!;
        into[3]! += 1;
      });
    }
    for (let c = 0; c < 3; c++) {
      const [creature, ground] = [sums.creature[c]! / sums.creature[3]!, sums.ground[c]! / sums.ground[3]!];
      assert(Math.abs(creature - ground) < 20, `channel ${c}: ${creature} and ${ground} of 255`);
    }
  });
});
