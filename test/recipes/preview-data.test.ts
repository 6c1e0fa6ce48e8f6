import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'fast-png';
import { readImage } from '../../src/data/images/image-file.js';
import { type SharedProcess, sharedProcess } from './run.js';
import { makeStreetScenes } from './street-scenes.js';

describe('preview-data', () => {
  let dir: string;
  let shared: SharedProcess;
  before(() => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    makeStreetScenes(join(dir, 'streets'), { width: 48, height: 36, counts: [5, 1, 2] });
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const set = [
    '--image-dir=streets/images',
    '--mask-dir=streets/labels',
    '--mask-suffix=_L',
    '--mask-palette=camvid',
    '--train-list=streets/train.txt',
    '--validation-list=streets/val.txt',
    '--test-list=streets/test.txt',
    '--image-size=48x32',
    '--augment=flip,color',
  ];
  const at = (name: string) => join(dir, 'streets', name);

  it('writes a contact sheet and a report of a sound data set', async () => {
    const { code, stdout, stderr } = await shared.run('preview-data', set, dir);
    assert.equal(code, 0, stderr);
    assert.match(
      stdout,
      /^pairs: train 5, validation 1, test 2\nsizes: 48×36 \(8\)\nclasses:\n {2}sky: [\d.]+ % of the pixels, in 8 pictures\n/,
    );
    assert.match(stdout, /\n {2}ignored: 2\.08 %\n/); // one column of 48
    const report = JSON.parse(readFileSync(join(dir, 'results/preview-data/report.json'), 'utf8'));
    assert.deepEqual([report.faults, report.duplicates, report.empty], [[], [], []]);
    const { width, data } = await readImage(join(dir, 'results/preview-data/contact-sheet.png'));
    assert.equal(width, 4 * (2 * 48 + 12) + 12);
    // A road's own colour, in the legend.
    assert.ok(Buffer.from(data).toString('hex').includes('804080'.repeat(6)));
    const again = await shared.run('preview-data', set, dir);
    assert.match(again.stderr, /--overwrite/);
  });

  it('names all files that make no pair, and exits with 1', async () => {
    const odd = join(dir, 'odd');
    for (const folder of ['images/b', 'masks']) mkdirSync(join(odd, folder), { recursive: true });
    for (const name of ['1', '2', '3', 'b/3'])
      copyFileSync(at('images/0001TP_000000.png'), join(odd, 'images', `${name}.png`));
    for (const name of ['3', '4', '5'])
      copyFileSync(at('images/0001TP_000000.png'), join(odd, 'masks', `${name}.png`));
    const flags = ['--image-dir=odd/images', '--mask-dir=odd/masks', '--output-dir=odd-report'];
    const { code, stdout, stderr } = await shared.run('preview-data', flags, dir);
    assert.equal(code, 1);
    const lines = stdout.trim().split('\n  ');
    assert.equal(lines[0], 'faults that stop a training: 5');
    for (const pattern of [
      /odd\/images\/b\/3.png: expected one image per stem, got odd\/images\/3.png too/,
      /odd\/images\/1.png: expected a mask named 1\.\* in odd\/masks, got none/,
      /odd\/images\/2.png: expected a mask named 2\.\*/,
      /odd\/masks\/4.png: expected an image named 4\.\*/,
      /odd\/masks\/5.png: expected an image named 5\.\*/,
    ])
      assert.ok(
        lines.some((line) => pattern.test(line)),
        `${pattern}: ${stdout}`,
      );
    assert.match(stderr, /expected pairs of images and masks, got 5 faults, listed above/);
    const train = await shared.run('train', flags.slice(0, 2), dir);
    assert.match(train.stderr, /; 4 more, which node recipes\/preview-data.js lists/);
  });

  it('names all faults, duplicates across splits and empty masks, and exits with 1', async () => {
    copyFileSync(at('images/0001TP_000000.png'), at('images/0001TP_000006.png'));
    const strange = new Uint8Array(3 * 48 * 36).fill(7);
    writeFileSync(
      at('labels/0001TP_000001_L.png'),
      encode({ width: 48, height: 36, data: strange, channels: 3, depth: 8 }),
    );
    writeFileSync(
      at('images/0001TP_000002.png'),
      readFileSync(at('images/0001TP_000002.png')).subarray(0, 200),
    );
    const void_ = new Uint8Array(3 * 48 * 36);
    writeFileSync(
      at('labels/0001TP_000003_L.png'),
      encode({ width: 48, height: 36, data: void_, channels: 3, depth: 8 }),
    );
    const small = { width: 8, height: 8, channels: 3 as const, depth: 8 as const };
    writeFileSync(at('labels/0001TP_000005_L.png'), encode({ ...small, data: new Uint8Array(192) }));
    const { code, stdout, stderr } = await shared.run('preview-data', [...set, '--overwrite'], dir);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /equal images in two splits: 1\n {2}streets\/images\/0001TP_000006\.png \(test\) and streets\/images\/0001TP_000000\.png \(train\)/,
    );
    assert.match(stdout, /empty masks, all ignored: 1\n {2}streets\/labels\/0001TP_000003_L\.png/);
    assert.match(stdout, /faults that stop a training: 3\n/);
    assert.match(
      stdout,
      /0001TP_000001_L\.png: expected colours of the palette, got #070707 \(7 7 7\) at x 0, y 0/,
    );
    assert.match(stdout, /0001TP_000002\.png: expected an image/);
    assert.match(stdout, /0001TP_000005_L\.png: expected the size of .*, 48×36, got 8×8/);
    assert.match(stderr, /got 3 faults, listed above/);
  });
});
