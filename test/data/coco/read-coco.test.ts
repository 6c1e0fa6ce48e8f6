import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { coco } from '../../../operators/coco.js';
import { decode } from '../../../operators/decode.js';
import { readCoco } from '../../../src/data/coco/read-coco.js';
import { drawn } from '../../../src/data/outlines/outlines.js';
import { checkPairs } from '../../../src/tasks/segmentation/check-files.js';
import { checkMasks } from '../../../src/tasks/segmentation/check-masks.js';
import { png } from '../images/png-writer.js';

const square = (x: number, y: number, side: number) => [x, y, x + side, y, x + side, y + side, x, y + side];
const WHOLE = {
  images: [
    { id: 7, file_name: 'first.png', width: 4, height: 4 },
    { id: 3, file_name: 'second.png', width: 4, height: 4 },
  ],
  annotations: [
    { image_id: 7, category_id: 18, iscrowd: 0, segmentation: [square(0, 0, 2)] },
    { image_id: 7, category_id: 2, segmentation: [square(1, 1, 2)] },
    { image_id: 7, category_id: 2, iscrowd: 1, segmentation: { counts: [0, 16], size: [4, 4] } },
    { image_id: 7, category_id: 2 },
  ],
  categories: [
    { id: 18, name: 'dog' },
    { id: 2, name: 'bicycle' },
  ],
};

describe('COCO files', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-coco-'));
    mkdirSync(join(dir, 'images'));
    const image = png({ width: 4, height: 4, depth: 8, colour: 2 }, Array<number>(48).fill(100));
    for (const { file_name } of WHOLE.images) writeFileSync(join(dir, 'images', file_name), image);
  });
  after(() => rmSync(dir, { recursive: true }));
  const file = (json: unknown) => {
    const path = join(dir, 'instances.json');
    writeFileSync(path, typeof json === 'string' ? json : JSON.stringify(json));
    return path;
  };
  const options = () => ({ imageDir: join(dir, 'images') });

  it('are pairs whose masks store the ids of categories: crowds ignored, later ones above', async () => {
    const { pairs, ids, classNames } = await readCoco(file(WHOLE), options());
    assert.deepEqual(
      [ids, classNames],
      [
        [0, 2, 18],
        ['background', 'bicycle', 'dog'],
      ],
    );
    assert.deepEqual(
      pairs.map(({ stem, image }) => [stem, image]),
      [
        ['first', join(dir, 'images', 'first.png')],
        ['second', join(dir, 'images', 'second.png')],
      ],
    );
    assert.deepEqual(
      [...drawn(pairs[0]!.mask)],
      [18, 18, 255, 255, 18, 2, 2, 255, 255, 2, 2, 255, 255, 255, 255, 255],
    );
    assert.deepEqual([...drawn(pairs[1]!.mask)], Array(16).fill(0));
  });

  it('are checked and decoded as pictures are', async () => {
    const pairs = await lastValueFrom(coco(file(WHOLE), options()));
    await checkPairs(pairs);
    assert.deepEqual(await checkMasks(pairs, { ids: [0, 2, 18] }), []);
    const plans = pairs.map((item, index) => ({ item, seed: 1, epoch: 1, index }));
    const [first] = await lastValueFrom(from(plans).pipe(decode(2, { ids: [0, 2, 18] }), toArray()));
    assert.deepEqual([...first!.mask], [1, 255, 255, 255]);
  });

  const changed = (change: (json: typeof WHOLE) => void) => {
    const json = structuredClone(WHOLE);
    change(json);
    return json;
  };
  const bad: [what: string, json: unknown, message: RegExp][] = [
    ['no JSON', '{"images": [', /expected annotations in COCO JSON, got .*JSON/],
    ['no images', { annotations: [], categories: [] }, /expected annotations in COCO JSON, got images: /],
    [
      'an unknown image',
      changed(({ annotations }) => (annotations[1]!.image_id = 99)),
      /got image_id 99 in annotation 1/,
    ],
    [
      'an unknown category',
      changed(({ annotations }) => (annotations[1]!.category_id = 99)),
      /got category_id 99 in annotation 1/,
    ],
    [
      'category 255',
      changed(({ categories }) => (categories[0]!.id = 255)),
      /from 1 to 65535 but 255.*got 255 for dog/,
    ],
    ['category 0', changed(({ categories }) => (categories[0]!.id = 0)), /got 0 for dog/],
    ['one category twice', changed(({ categories }) => (categories[0]!.id = 2)), /got 2 for/],
    [
      'one image twice',
      changed(({ images }) => (images[0]!.id = 3)),
      /images with an id each, got one id twice/,
    ],
    [
      'two images of one name',
      changed(({ images }) => (images[0]!.file_name = 'second.jpg')),
      /each image once, got .*second/,
    ],
    [
      'an image that is missing',
      changed(({ images }) => (images[0]!.file_name = 'none.png')),
      /got nothing at .*none.png; see --image-dir/,
    ],
    [
      'run lengths of another size',
      changed(({ annotations }) => (annotations[2]!.segmentation = { counts: [0, 20], size: [4, 5] })),
      /run lengths of the size of their image, 4×4, got 4×5 in annotation 2/,
    ],
    [
      'a segmentation that is none',
      changed(({ annotations }) => ((annotations[0] as { segmentation: unknown }).segmentation = 'x')),
      /got annotations.0.segmentation: /,
    ],
  ];
  for (const [what, json, message] of bad)
    it(`with ${what} are refused`, async () => {
      await assert.rejects(readCoco(file(json), options()), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert.match(error.message, message);
        assert.ok(error.message.startsWith(dir) && !error.message.includes('\n'), error.message);
        return true;
      });
    });
});
