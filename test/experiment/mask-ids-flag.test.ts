import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flags } from '../../src/cli/flags.js';
import { classNamesOf, dataFlags } from '../../src/experiment/data-flags.js';
import { classCount, storedIds } from '../../src/tasks/segmentation/mask-ids.js';

const { maskPalette, maskIds, classNames } = dataFlags;
const read = (...argv: string[]) => {
  const asked = flags(
    argv,
    { Data: { maskPalette, maskIds, classNames } },
    { name: 'demo', description: '' },
  );
  assert('config' in asked);
  return { ...asked.config, notes: asked.notes };
};

describe('--mask-ids', () => {
  it('is a list in the order of the classes, or a map that merges and ignores', () => {
    assert.deepEqual(read().maskIds, [1, 2, 3]);
    assert.deepEqual(read('--mask-ids', '0,255').maskIds, [0, 255]);
    const { maskIds: merged } = read('--mask-ids', '0:0,1:1, 2:1,11:ignore');
    assert.deepEqual(merged, { 0: 0, 1: 1, 2: 1, 11: 255 });
    assert.deepEqual([classCount(merged), storedIds(merged)], [2, [0, 1]]);
    assert.deepEqual(classNamesOf({ maskIds: merged }), ['0', '1+2']);
  });

  it('counts the last where it is repeated, and says so', () => {
    const { maskIds: last, notes } = read('--mask-ids=0,1', '--mask-ids=0,255');
    assert.deepEqual(last, [0, 255]);
    assert.deepEqual(notes, ['--mask-ids: given twice; the last one counts, [0,255]']);
  });

  for (const [said, why] of [
    ['0', /expected two ids or more/],
    ['0,0', /expected each id once, got \[0,0\]/],
    ['0:0,0:1', /expected each id once, with 0 twice/],
    ['0:0,1:2', /expected an id for each class from 0 to 2, got none for 1/],
    ['0:0,1:ignore', /expected two classes or more, got 1/],
    ['0:0,1', /expected ids in the order of the classes, such as 0,255, or id:class pairs/],
    ['0:0,1:one', /or id:class pairs/],
    ['0,99999', /expected ids from 0 to 65535/],
  ] as const)
    it(`refuses ${said}`, () =>
      assert.throws(() => read('--mask-ids', said), { name: 'UserError', message: why }));

  it('is what a palette says, unless it is given', () => {
    const voc = read('--mask-palette', 'voc');
    assert.equal(classCount(voc.maskIds), 21);
    assert.equal(classNamesOf(voc)[20], 'tvmonitor');
    assert.deepEqual(read('--mask-palette', 'voc', '--mask-ids', '0,1').maskIds, [0, 1]);
    assert.throws(
      () => read('--mask-palette', 'vok'),
      /expected one of voc, cityscapes, camvid, or a file of colours, got nothing there; did you mean voc\?/,
    );
  });
});

describe('--class-names', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-names-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  it('are names, or the lines of a file', () => {
    const path = join(dir, 'names.txt');
    writeFileSync(path, '\ufeffsky\r\ntraffic light, red\n\n');
    assert.deepEqual(read('--class-names', `@${path}`).classNames, ['sky', 'traffic light, red']);
    assert.throws(
      () => read('--class-names', '@none.txt'),
      /--class-names @none\.txt: expected a file of names, a line each, got nothing there/,
    );
    assert.throws(() => read('--class-names', 'a,a'), /expected each name once/);
  });

  it('are one for each class, also of a map', () => {
    const { maskIds: ids } = read('--mask-ids', '0:0,1:1,2:1');
    assert.throws(
      () => classNamesOf({ maskIds: ids, classNames: ['a'] }),
      /expected a name for each of the 2 classes of --mask-ids, got a/,
    );
  });
});
