import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fixture } from '../../src/base/fixture.js';
import { locate, recordPaths } from '../../src/files/recorded-paths.js';

describe('recordPaths, locate', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    for (const path of ['a/images', 'a/models/run']) mkdirSync(join(dir, path), { recursive: true });
    writeFileSync(join(dir, 'a/train.txt'), '');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('finds what was moved with the run, else where it lay, else as it was typed', () => {
    const typed = relative('.', join(dir, 'a/images'));
    const lists = [join(dir, 'a/train.txt')];
    const settings = { imageDir: typed, list: lists, loss: 'focal', modelName: 'google/vit' };
    const paths = recordPaths(settings, join(dir, 'a/models/run'));
    assert.deepEqual(Object.keys(paths), [typed, ...lists]);
    cpSync(join(dir, 'a/models'), join(dir, 'elsewhere'), { recursive: true });
    assert.equal(locate(typed, paths, join(dir, 'elsewhere/run')), join(dir, 'a/images'));
    renameSync(join(dir, 'a'), join(dir, 'b'));
    assert.equal(locate(typed, paths, join(dir, 'b/models/run')), join(dir, 'b/images'));
    assert.equal(locate(lists[0]!, paths, join(dir, 'b/models/run')), join(dir, 'b/train.txt'));
    assert.equal(locate(typed, paths, join(dir, 'elsewhere/run')), typed);
    assert.equal(locate('google/vit', paths, dir), 'google/vit');
    assert.equal(locate('constructor', paths, dir), 'constructor');
  });

  it('finds what ships with this package wherever that is', () => {
    const images = fixture('creatures', 'plain', 'images');
    const paths = recordPaths({ imageDir: images }, join(dir, 'a/models/run'));
    const other = { ...paths[images]!, absolute: '/nowhere', relative: '../nowhere' };
    assert.equal(relative('.', locate(images, { [images]: other }, dir)), relative('.', images));
  });
});
