import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { imageMaskPairs } from '../../operators/image-mask-pairs.js';
import { split } from '../../operators/split.js';
import { findPairs } from '../../src/data/pairs.js';
import { needsSharedData } from '../shared-data.js';

describe('pairs', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-pairs-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const files = (...names: string[]) => {
    for (const name of names) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), '');
    }
  };
  const find = (...lists: string[]) =>
    findPairs(join(dir, 'images'), join(dir, 'masks'), { lists: lists.map((list) => join(dir, list)) });
  const stems = async (...lists: string[]) => (await find(...lists)).map(({ stem }) => stem);

  it('pairs by stem, in folders of any depth, whatever the endings', async () => {
    files('images/a.jpg', 'images/deep/er/b.JPEG', 'masks/a.png', 'masks/b.gif');
    assert.deepEqual(await find(), [
      { stem: 'a', image: join(dir, 'images/a.jpg'), mask: join(dir, 'masks/a.png') },
      { stem: 'b', image: join(dir, 'images/deep/er/b.JPEG'), mask: join(dir, 'masks/b.gif') },
    ]);
  });

  it("sorts file names as Python's sorted", async () => {
    // python3 -c "print(sorted([s + '.jpg' for s in ['b', 'B', 'a', 'a-1', 'a1', 'a10', 'a2', 'é', '\uff5e', '\U0001f40e']]))"
    const sorted = ['B', 'a-1', 'a', 'a1', 'a10', 'a2', 'b', 'é', '\uff5e', '\u{1f40e}'];
    files(...sorted.toReversed().flatMap((stem) => [`images/${stem}.jpg`, `masks/${stem}.png`]));
    assert.deepEqual(await stems(), sorted);
  });

  it('overlooks hidden files and what is no picture', async () => {
    files(
      'images/a.jpg',
      'images/._a.jpg',
      'images/a.mat',
      'masks/a.png',
      'masks/._a.png',
      'masks/Thumbs.db',
    );
    assert.deepEqual(await stems(), ['a']);
  });

  it('narrows to what lists name, with comments and further columns', async () => {
    files(
      ...['a', 'b', 'c', 'd'].flatMap((stem) => [`images/${stem}.jpg`, `masks/${stem}.png`]),
      'images/e.jpg',
    );
    writeFileSync(join(dir, 'trainval.txt'), '#Image CLASS-ID SPECIES\nd 1 1 1\r\nb 2 1 1\n\n');
    writeFileSync(join(dir, 'test.txt'), 'a\n');
    assert.deepEqual(await stems('trainval.txt'), ['b', 'd']);
    assert.deepEqual(await stems('trainval.txt', 'test.txt'), ['a', 'b', 'd']);
  });

  const wrong: [string, string[], string, RegExp][] = [
    ['a missing folder', ['masks/a.png'], '', /images: expected a folder of images, got nothing there/],
    ['a file for a folder', ['images', 'masks/a.png'], '', /images: expected a folder of images, got a file/],
    ['an empty folder', ['images/notes.txt', 'masks/a.png'], '', /images: expected images .*, got none/],
    ['an empty mask folder', ['images/a.jpg', 'masks/a.txt'], '', /masks: expected masks .*, got none/],
    [
      'an image without a mask',
      ['images/a.jpg', 'images/b.jpg', 'masks/a.png'],
      '',
      /b\.jpg: expected a mask named b\.\* in/,
    ],
    [
      'a mask without an image',
      ['images/a.jpg', 'masks/a.png', 'masks/b.png'],
      '',
      /b\.png: expected an image named b\.\* in/,
    ],
    [
      'two images of one stem',
      ['images/a.jpg', 'images/x/a.png', 'masks/a.png'],
      '',
      /expected one image a stem, got .*a\.jpg too/,
    ],
    ['two masks of one stem', ['images/a.jpg', 'masks/a.gif', 'masks/a.png'], '', /expected one mask a stem/],
    [
      'a listed stem without files',
      ['images/a.jpg', 'masks/a.png'],
      'a\nz\n',
      /z, listed in .*list\.txt: expected an image/,
    ],
    [
      'a listed stem without a mask',
      ['images/a.jpg', 'images/z.jpg', 'masks/a.png'],
      'z\n',
      /z\.jpg: expected a mask/,
    ],
    ['an empty list', ['images/a.jpg', 'masks/a.png'], '# nothing\n', /list\.txt: expected stems/],
  ];
  for (const [what, names, list, message] of wrong)
    it(`refuses ${what}`, async () => {
      files(...names);
      if (list) writeFileSync(join(dir, 'list.txt'), list);
      await assert.rejects(list ? find('list.txt') : find(), (error: Error) => {
        assert.equal(error.name, 'UserError', error.stack);
        assert.match(error.message, message);
        assert.ok(!error.message.includes('\n'));
        return true;
      });
    });

  it('refuses a list that is not there', async () => {
    files('images/a.jpg', 'masks/a.png');
    await assert.rejects(find('none.txt'), /none\.txt: expected a list file, got ENOENT/);
  });

  it('finds and divides the photographs as the protocol says', async function () {
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const lists = ['trainval.txt', 'test.txt'].map((name) => join(pets, 'annotations', name));
    const pairs$ = imageMaskPairs(join(pets, 'images'), join(pets, 'annotations/trimaps'), { lists });
    const { train, validation, test } = await lastValueFrom(pairs$.pipe(split({ seed: 42 })));
    assert.deepEqual([train.length, validation.length, test.length], [420, 119, 59]);
  });
});
