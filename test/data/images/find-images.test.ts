import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../../src/base/errors.js';
import { findImages } from '../../../src/data/images/find-images.js';

describe('findImages', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    for (const folder of ['deep/er', 'empty', '.hidden']) mkdirSync(join(dir, folder), { recursive: true });
    for (const file of ['b.JPG', 'a.png', 'a.tif', 'deep/er/a.png', 'c.bmp', '.hidden/d.png', 'notes.txt'])
      writeFileSync(join(dir, file), '');
  });
  after(() => rmSync(dir, { recursive: true }));

  it('finds pictures to the bottom, those of unreadable formats too, each under a stem of its own', async () => {
    assert.deepEqual(
      (await findImages(`${dir}/`)).map(({ stem, image }) => [stem, image]),
      [
        ['a.png', `${dir}/a.png`],
        ['a.tif', `${dir}/a.tif`],
        ['b', `${dir}/b.JPG`],
        ['c', `${dir}/c.bmp`],
        ['deep/er/a', `${dir}/deep/er/a.png`],
      ],
    );
  });

  it('refuses a folder without pictures, and what is no folder', async () => {
    await assert.rejects(findImages(join(dir, 'empty')), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /empty: expected images \(jpg, .*\), got none; see --image-dir$/);
      return true;
    });
    await assert.rejects(findImages(join(dir, 'a.png')), /expected a folder of images, got a file/);
  });
});
