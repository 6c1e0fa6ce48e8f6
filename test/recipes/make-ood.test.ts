import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readImage, readMask } from '../../src/data/images/image-file.js';
import { splitPairs } from '../../src/data/split.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { needsSharedData } from '../shared-data.js';
import { root, run, type SharedProcess, sharedProcess } from './run.js';

const plain = join(root, 'fixtures', 'creatures', 'plain');

describe('make-ood', () => {
  let dir: string;
  let shared: SharedProcess;
  before(() => {
    shared = sharedProcess();
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  after(() => {
    shared.close();
    rmSync(dir, { recursive: true });
  });
  const make = (out: string, ...args: string[]) =>
    shared.run(
      'make-ood',
      ['--styles', 'jpeg,elastic', '--random_seed', '7', '--out-dir', out, ...args],
      dir,
    );

  it('draws from the test split alone, and keeps ground truth', async () => {
    const { code, stdout } = await make('ood');
    assert.deepEqual([code, stdout], [0, 'ood: 2 styles of 20 test pictures each\n']);
    const pairs = await findPairs(join(plain, 'images'), join(plain, 'masks'));
    const { test } = splitPairs(pairs, { seed: 7 });
    for (const style of ['jpeg', 'elastic']) {
      const made = await findPairs(join(dir, 'ood', style, 'images'), join(dir, 'ood', style, 'masks'));
      assert.deepEqual(
        made.map(({ stem }) => stem),
        test.map(({ stem }) => stem).toSorted(),
      );
      for (const { stem, image, mask } of made) {
        const source = test.find((pair) => pair.stem === stem)!;
        const moved = !Buffer.from((await readMask(mask)).data).equals(
          (await readMask(source.mask)).data as Buffer,
        );
        assert.equal(moved, style === 'elastic', mask);
        assert.notDeepEqual((await readImage(image)).data, (await readImage(source.image)).data);
      }
    }
    const manifest = JSON.parse(readFileSync(join(dir, 'ood', 'manifest.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.deepEqual([manifest.madeBy, manifest.seed, manifest.severity], ['make-ood', 7, 3]);
    assert.deepEqual(
      manifest.stems,
      test.map(({ stem }) => stem),
    );
  });

  it('makes the same files again, in place of its own', async () => {
    const bytes = () =>
      (readdirSync(join(dir, 'ood'), { recursive: true, withFileTypes: true }) as import('node:fs').Dirent[])
        .filter((entry) => entry.isFile())
        .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name)).toString('base64')]);
    const first = bytes();
    assert.equal((await make('ood')).code, 0);
    assert.deepEqual(bytes(), first);
    assert.deepEqual(readdirSync(dir), ['ood']);
  });

  it('keeps a folder that the user has put beside the styles', async () => {
    mkdirSync(join(dir, 'ood', 'sketches', 'images'), { recursive: true });
    writeFileSync(join(dir, 'ood', 'sketches', 'images', 'a.png'), 'mine');
    assert.equal((await make('ood')).code, 0);
    assert.equal(readFileSync(join(dir, 'ood', 'sketches', 'images', 'a.png'), 'utf8'), 'mine');
    rmSync(join(dir, 'ood', 'sketches'), { recursive: true });
  });

  it('refuses a folder of someone else, and leaves it alone', async () => {
    mkdirSync(join(dir, 'mine'));
    writeFileSync(join(dir, 'mine', 'thesis.txt'), 'precious');
    const { code, stdout, stderr } = await make('mine');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^make-ood: mine: expected an empty folder or one made by make-ood, .*thesis\.txt.*\n$/,
    );
    assert.equal(readFileSync(join(dir, 'mine', 'thesis.txt'), 'utf8'), 'precious');
  });

  for (const [what, args, message] of [
    ['an unknown style', ['--styles', 'fogg'], /--styles: expected .*, got "fogg"; did you mean fog\?/],
    ['a missing folder', ['--image-dir', 'nowhere'], /nowhere: expected a folder of images/],
    [
      'an empty test split',
      ['--data-percentage', '2%'],
      /--data-percentage: expected at least one test picture/,
    ],
  ] as const)
    it(`refuses ${what} in one line, and makes nothing`, async () => {
      const { code, stderr } = await make('bad', ...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.match(stderr, /^make-ood: .*\n$/);
      assert(!existsSync(join(dir, 'bad')));
    });

  it('takes real photographs, which no training split of the same flags holds', async function () {
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const [images, masks] = [join(pets, 'images'), join(pets, 'annotations', 'trimaps')];
    const lists = ['trainval.txt', 'test.txt'].map((name) => join(pets, 'annotations', name));
    const { code } = await run(
      'make-ood',
      [
        `--image-dir=${images}`,
        `--mask-dir=${masks}`,
        `--list=${lists.join()}`,
        '--out-dir=pets',
        '--styles=fog',
        '--images=4',
        '--image-size=64',
      ],
      dir,
    );
    assert.equal(code, 0);
    const { train, validation } = splitPairs(await findPairs(images, masks, { lists }), { seed: 42 });
    const seen = new Set([...train, ...validation].map(({ stem }) => stem));
    const made = await findPairs(join(dir, 'pets/fog/images'), join(dir, 'pets/fog/masks'));
    assert.equal(made.length, 4);
    for (const { stem, image, mask } of made) {
      assert(!seen.has(stem), stem);
      const [picture, ids] = [await readImage(image), await readMask(mask)];
      assert.equal(Math.min(picture.width, picture.height), 64);
      assert.deepEqual([ids.width, ids.height], [picture.width, picture.height]);
      assert([...new Set(ids.data)].every((id) => id >= 1 && id <= 3));
    }
  });
});
