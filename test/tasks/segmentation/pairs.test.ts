import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { imageMaskPairs } from '../../../operators/image-mask-pairs.js';
import { split } from '../../../operators/split.js';
import { findPairs } from '../../../src/tasks/segmentation/pairs.js';
import { needsSharedData } from '../../shared-data.js';

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

  it('skips hidden files and files that are not pictures', async () => {
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

  it('selects what lists name, with comments and further columns', async () => {
    files(
      ...['a', 'b', 'c', 'd'].flatMap((stem) => [`images/${stem}.jpg`, `masks/${stem}.png`]),
      'images/e.jpg',
    );
    writeFileSync(join(dir, 'trainval.txt'), '#Image CLASS-ID SPECIES\nd 1 1 1\r\nb 2 1 1\n\n');
    writeFileSync(join(dir, 'test.txt'), 'a\n');
    assert.deepEqual(await stems('trainval.txt'), ['b', 'd']);
    assert.deepEqual(await stems('trainval.txt', 'test.txt'), ['a', 'b', 'd']);
  });

  it('pairs names that differ in how Unicode composes a letter, and keeps the image’s spelling', async () => {
    files('images/cafe\u0301.jpg', 'masks/caf\u00e9.png', 'images/\u00fcber.jpg', 'masks/u\u0308ber.png');
    const pairs = await find();
    assert.deepEqual(
      pairs.map(({ stem, image, mask }) => [stem, image, mask].map((name) => name.replace(`${dir}/`, ''))),
      [
        ['cafe\u0301', 'images/cafe\u0301.jpg', 'masks/caf\u00e9.png'],
        ['\u00fcber', 'images/\u00fcber.jpg', 'masks/u\u0308ber.png'],
      ],
    );
    writeFileSync(join(dir, 'list.txt'), 'caf\u00e9\nu\u0308ber.png\n');
    assert.equal((await find('list.txt')).length, 2);
  });

  it('pairs by path where several sub-folders have one stem', async () => {
    files('images/cats/1.jpg', 'images/dogs/1.jpg', 'images/dogs/2.jpg');
    files('masks/cats/1.png', 'masks/dogs/1.png', 'masks/elsewhere/2.png');
    const found = async (...lists: string[]) =>
      (await find(...lists)).map(({ stem, mask }) => [stem, mask.replace(`${dir}/masks/`, '')]);
    const [cat, dog, two] = [
      ['cats/1', 'cats/1.png'],
      ['dogs/1', 'dogs/1.png'],
      ['2', 'elsewhere/2.png'],
    ];
    assert.deepEqual(await found(), [cat, dog, two]);
    writeFileSync(join(dir, 'list.txt'), 'dogs/1\nimages/dogs/2.jpg\n');
    assert.deepEqual(await found('list.txt'), [dog, two]);
  });

  it('takes list lines with endings, folders, blanks and #, and Windows’ line ends', async () => {
    const names = ['a', 'my cat', 'no#1', 'b.v2', 'c'];
    files(...names.flatMap((stem) => [`images/${stem}.jpg`, `masks/${stem}.png`]));
    const lines: [string, string][] = [
      ['a.jpg', 'a'],
      ['JPEGImages/a.png', 'a'],
      ['./images/a', 'a'],
      ['C:\\data\\a.jpg', 'a'],
      ['/images/a.jpg /masks/a.png', 'a'],
      ['my cat', 'my cat'],
      ['images/my cat.jpg', 'my cat'],
      ['my cat # asleep', 'my cat'],
      ['no#1', 'no#1'],
      ['no#1.jpg', 'no#1'],
      ['b.v2', 'b.v2'],
      ['b.v2.jpg 1 0', 'b.v2'],
      ['\ufeffc', 'c'],
      ['c#c', 'c'],
    ];
    for (const [line, stem] of lines) {
      writeFileSync(join(dir, 'list.txt'), `${line}\r\n`);
      assert.deepEqual(await stems('list.txt'), [stem], line);
    }
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
      /expected one image per stem, got .*a\.jpg too/,
    ],
    [
      'two masks of one stem',
      ['images/a.jpg', 'masks/a.gif', 'masks/a.png'],
      '',
      /expected one mask per stem/,
    ],
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
    [
      'masks with a suffix',
      ['images/a.jpg', 'images/b.jpg', 'masks/a_mask.png', 'masks/b_mask.png'],
      '',
      /a\.jpg: expected a mask named a\.\* in .*masks, got a_mask\.\*; give both files the same name, or say --mask-suffix _mask; 3 more, which node recipes\/preview-data\.js lists$/,
    ],
    [
      'masks with a suffix, listed',
      ['images/a.jpg', 'masks/a-seg.png'],
      'a\n',
      /a\.jpg: expected a mask named a\.\* .* got a-seg\.\*/,
    ],
    [
      'bitmaps',
      ['images/a.bmp', 'masks/a.png'],
      '',
      /a\.bmp: expected images of the formats .*, got bmp; convert it/,
    ],
    [
      'equal stems in sub-folders of one side',
      ['images/x/a.jpg', 'images/y/a.jpg', 'masks/a.png'],
      '',
      /y\/a\.jpg: expected one image per stem, got .*x\/a\.jpg too; .* same sub-folders/,
    ],
    [
      'equal stems in other sub-folders',
      ['images/x/a.jpg', 'images/y/a.jpg', 'masks/x/a.png', 'masks/z/a.png'],
      '',
      /images\/y\/a\.jpg: expected a mask named y\/a\.\* in/,
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

  it('pairs by suffixes, in folders of their own, in one, and in sub-folders; other files of a suffix are passed over', async () => {
    const at = (name: string) => join(dir, name);
    files('images/a.jpg', 'images/b.jpg', 'masks/a_mask.png', 'masks/b_mask.png', 'masks/a_colour.png');
    const found = await findPairs(at('images'), at('masks'), { maskSuffix: '_mask' });
    assert.deepEqual(found[0], { stem: 'a', image: at('images/a.jpg'), mask: at('masks/a_mask.png') });
    assert.deepEqual(
      found.map(({ stem }) => stem),
      ['a', 'b'],
    );
    files('one/a.jpg', 'one/a_mask.png', 'one/b.png', 'one/b_mask.png');
    const one = await findPairs(at('one'), at('one'), { maskSuffix: '_mask' });
    assert.deepEqual(
      one.map(({ image, mask }) => [image, mask]),
      [
        [at('one/a.jpg'), at('one/a_mask.png')],
        [at('one/b.png'), at('one/b_mask.png')],
      ],
    );
    const city = ['train/aachen/a_000', 'train/bochum/a_000', 'val/ulm/u_001'];
    files(
      ...city.flatMap((stem) => [
        `left/${stem}_leftImg8bit.png`,
        `fine/${stem}_gtFine_color.png`,
        `fine/${stem}_gtFine_labelIds.png`,
      ]),
    );
    writeFileSync(at('val.txt'), 'val/ulm/u_001_leftImg8bit.png\tval/ulm/u_001_gtFine_labelIds.png\n');
    const suffixes = { imageSuffix: '_leftImg8bit', maskSuffix: '_gtFine_labelIds' };
    const cities = await findPairs(at('left'), at('fine'), suffixes);
    assert.deepEqual(
      cities.map(({ stem }) => stem),
      [city[0], city[1], 'u_001'],
    );
    const listed = await findPairs(at('left'), at('fine'), { ...suffixes, lists: [at('val.txt')] });
    assert.deepEqual(
      listed.map(({ mask }) => mask),
      [at('fine/val/ulm/u_001_gtFine_labelIds.png')],
    );
    await assert.rejects(
      findPairs(at('images'), at('masks'), { maskSuffix: '_seg' }),
      /masks: expected masks named \*_seg\.\*, got none of 3 files, such as .*; see --mask-suffix/,
    );
  });

  it('pairs names of both spellings of Unicode, with a suffix too, and a list in either', async () => {
    const [composed, apart] = ['caf\u00e9', 'cafe\u0301'];
    files(`images/${composed}.jpg`, `masks/${apart}_ma\u0301ske.png`);
    writeFileSync(join(dir, 'list.txt'), `${apart}\n`);
    for (const lists of [[], [join(dir, 'list.txt')]]) {
      const [pair] = await findPairs(join(dir, 'images'), join(dir, 'masks'), {
        maskSuffix: '_m\u00e1ske',
        lists,
      });
      assert.equal(pair!.stem, composed);
    }
  });

  it('refuses a missing list', async () => {
    files('images/a.jpg', 'masks/a.png');
    await assert.rejects(find('none.txt'), /none\.txt: expected a list file, got nothing there/);
  });

  it('finds and divides the photographs as the protocol says', async function () {
    const pets = needsSharedData(this, 'oxford_pets_3breeds');
    const lists = ['trainval.txt', 'test.txt'].map((name) => join(pets, 'annotations', name));
    const pairs$ = imageMaskPairs(join(pets, 'images'), join(pets, 'annotations/trimaps'), { lists });
    const { train, validation, test } = await lastValueFrom(pairs$.pipe(split({ seed: 42 })));
    assert.deepEqual([train.length, validation.length, test.length], [420, 119, 59]);
  });
});
