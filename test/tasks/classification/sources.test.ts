import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import sharp from 'sharp';
import { augment } from '../../../operators/augment.js';
import { batch } from '../../../operators/batch.js';
import { decode } from '../../../operators/decode.js';
import { imageFolders } from '../../../operators/image-folders.js';
import { IMAGENET, normalize } from '../../../operators/normalize.js';
import { split } from '../../../operators/split.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import { horizontalFlip } from '../../../src/data/images/augmentations/geometric.js';
import { memoryCache } from '../../../src/data/images/memory-cache.js';
import { findLabelledImages } from '../../../src/tasks/classification/image-folders.js';
import { readLabelList } from '../../../src/tasks/classification/label-list.js';
import { labelTensor } from '../../../src/tasks/classification/label-tensor.js';
import { classNames } from '../../../src/tasks/classification/labelled-image.js';

describe('labelled images', () => {
  let dir: string;
  let left: Buffer;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-labels-'));
    // Two pixels wide: red, then blue.
    left = await sharp(Buffer.from([255, 0, 0, 0, 0, 255]), { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toBuffer();
  });
  after(() => rmSync(dir, { recursive: true }));
  const folder = (name: string, ...files: string[]) => {
    const root = join(dir, name);
    mkdirSync(root, { recursive: true });
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), left);
    }
    return root;
  };
  const shown = (images: Awaited<ReturnType<typeof findLabelledImages>>) =>
    images.map(({ stem, label, className }) => `${stem} ${label} ${className}`);

  it('have the class of their folder, by sorted names', async () => {
    const root = folder('plain', 'pug/2.png', 'beagle/1.PNG', 'pug/deep/1.png', '.hidden/1.png', 'notes.txt');
    const images = await lastValueFrom(imageFolders(root));
    assert.deepEqual(shown([...images]), ['beagle/1 0 beagle', 'pug/2 1 pug', 'pug/deep/1 1 pug']);
    assert.deepEqual(classNames(images), ['beagle', 'pug']);
  });

  for (const [what, files, says] of [
    ['nothing', [], /nothing: expected images \(jpg, .*\) in a folder a class, got none; see --image-dir/],
    ['loose', ['a/1.png', 'b/1.png', '2.png'], /each image in a sub-folder, its class, got 2\.png/],
    ['lonely', ['a/1.png', 'a/2.png'], /images of two classes or more, got one class, a/],
    [
      'twins',
      ['a/1.png', 'a/1.jpg', 'b/1.png'],
      /one image per stem, got a\/1\.(png|jpg) and a\/1\.(png|jpg)/,
    ],
    ['bitmaps', ['a/1.png', 'b/1.png', 'b/2.bmp'], /images of the formats jpg, .*, got b\/2\.bmp; see/],
    [
      'cases',
      ['Pug/1.png', 'pug/1.jpg'],
      /differ by more than upper and lower case, got Pug and pug; rename/,
    ],
  ] as const)
    it(`refuse a folder with ${what}`, () =>
      assert.rejects(findLabelledImages(folder(what, ...files)), { name: 'UserError', message: says }));

  it('refuse a class without an image', async () => {
    const root = folder('hollow', 'a/1.png', 'b/1.png', 'c/notes.txt');
    await assert.rejects(
      findLabelledImages(root),
      /expected an image in each sub-folder, got none in c; see/,
    );
  });

  it('refuse a folder that is missing', () =>
    assert.rejects(findLabelledImages(join(dir, 'none')), /expected a folder, got nothing there/));

  const list = (name: string, text: string) => {
    const root = folder(name, 'img/1.png', 'img/2, b.png');
    writeFileSync(join(root, 'list.csv'), text);
    return join(root, 'list.csv');
  };

  it('are read from a list, with or without a heading', async () => {
    const rows = 'img/1.png,pug\r\n"img/2, b.png","a ""b"""\r\n\r\n';
    const expected = ['img/1 1 pug', 'img/2, b 0 a "b"'];
    assert.deepEqual(shown(await readLabelList(list('headed', `\ufefffile,label\n${rows}`))), expected);
    assert.deepEqual(shown(await readLabelList(list('bare', rows))), expected);
  });

  for (const [what, text, says] of [
    ['one cell', 'file,label\nimg/1.png\n', /list\.csv:2: expected file,label, got img\/1\.png/],
    ['three cells', 'img/1.png,a,b', /list\.csv:1: expected file,label, got img\/1\.png,a,b/],
    ['no label', 'img/1.png,', /list\.csv:1: expected file,label, got img\/1\.png,/],
    [
      'a missing image',
      'img/1.png,a\nimg/9.png,b',
      /list\.csv:2: expected an image file, got .*9\.png, which is none/,
    ],
    [
      'an image twice',
      'img/1.png,a\nimg/1.png,b',
      /list\.csv:2: expected each image once, got .* as in line 1/,
    ],
    ['nothing', 'file,label\n', /list\.csv: expected lines of file,label, got none/],
  ] as const)
    it(`refuse a list with ${what}`, () =>
      assert.rejects(readLabelList(list(`list of ${what}`, text)), { name: 'UserError', message: says }));

  it('become batches of images and labels; a flip needs no mask, and a cache gives the same', async () => {
    const images = await findLabelledImages(folder('batch', 'a/1.png', 'b/1.png', 'b/2.png'));
    const { train } = await lastValueFrom(from([images]).pipe(split({ seed: 1, validation: 0, test: 0 })));
    assert.equal(train.length, 3);
    const [plan] = batchPlans(images, { batchSize: 3, seed: 1, shuffle: false });
    const cache = memoryCache();
    const made = async (p: number) => {
      const one = await lastValueFrom(
        from(plan!.samples).pipe(
          decode(2, { cache }),
          augment(horizontalFlip({ p })),
          normalize({ ...IMAGENET, mean: [0, 0, 0], std: [1, 1, 1] }),
          batch(plan!, labelTensor),
        ),
      );
      const values = { labels: one.targets.arraySync(), image: [...one.inputs.dataSync().subarray(0, 6)] };
      assert.deepEqual([one.inputs.shape, one.targets.dtype], [[3, 2, 2, 3], 'int32']);
      one.dispose();
      return values;
    };
    assert.deepEqual(await made(0), { labels: [0, 1, 1], image: [1, 0, 0, 0, 0, 1] });
    assert.deepEqual(await made(1), { labels: [0, 1, 1], image: [0, 0, 1, 1, 0, 0] });
  });
});
