import assert from 'node:assert/strict';
import {
  type Dirent,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ownedFolder } from '../../src/files/owned-folder.js';

describe('ownedFolder', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const make = (path: string, text = 'new', madeBy = 'test') =>
    ownedFolder(path, madeBy, async (folder) => {
      await writeFile(join(folder, 'a.txt'), text);
      return { text };
    });

  it('makes a folder that says who made it', async () => {
    await make(join(dir, 'deep', 'out'));
    assert.deepEqual(readdirSync(join(dir, 'deep')), ['out']);
    const manifest: unknown = JSON.parse(readFileSync(join(dir, 'deep/out/manifest.json'), 'utf8'));
    assert.deepEqual(manifest, { madeBy: 'test', text: 'new', files: ['a.txt'] });
  });

  it('replaces an empty folder, its own folder, and what a killed run left', async () => {
    const out = join(dir, 'out');
    mkdirSync(out);
    mkdirSync(join(dir, '.out.part'));
    writeFileSync(join(dir, '.out.part', 'half'), 'half');
    await make(out, 'first');
    await make(out, 'second');
    assert.deepEqual(readdirSync(out).toSorted(), ['a.txt', 'manifest.json']);
    assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'second');
    assert.deepEqual(readdirSync(dir), ['out']);
  });

  /** Makes a folder of these files, each with its own name for text and a version. */
  const makeFiles = (out: string, files: readonly string[], version: number) =>
    ownedFolder(out, 'test', async (folder) => {
      for (const file of files) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        await writeFile(join(folder, file), `${file} ${version}`);
      }
      return { version };
    });
  const tree = (folder: string) =>
    (readdirSync(folder, { recursive: true, withFileTypes: true }) as Dirent[])
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .toSorted();

  it('deletes what its manifest lists, and leaves the files and folders of the user where they are', async () => {
    const out = join(dir, 'out');
    await makeFiles(out, ['fog/images/a.png', 'fog/masks/a.png', 'snow/images/a.png'], 1);
    for (const mine of ['notes.txt', 'mine/images/x.png', 'snow/images/mine.png']) {
      mkdirSync(dirname(join(out, mine)), { recursive: true });
      writeFileSync(join(out, mine), 'mine');
    }
    symlinkSync(dir, join(out, 'link'));
    for (const version of [2, 3]) {
      await makeFiles(out, ['fog/images/a.png', 'fog/images/b.png'], version);
      assert.deepEqual(tree(out), [
        'fog/images/a.png',
        'fog/images/b.png',
        'link',
        'manifest.json',
        'mine/images/x.png',
        'notes.txt',
        'snow/images/mine.png',
      ]);
      assert.equal(readFileSync(join(out, 'fog/images/a.png'), 'utf8'), `fog/images/a.png ${version}`);
      assert.equal(readFileSync(join(out, 'snow/images/mine.png'), 'utf8'), 'mine');
      assert(!existsSync(join(out, 'fog/masks')), 'an empty folder stayed');
      const { files } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8')) as { files: string[] };
      assert.deepEqual(files, ['fog/images/a.png', 'fog/images/b.png']);
    }
    assert.deepEqual(readdirSync(dir), ['out']);
  });

  it('refuses to write over a file of the user’s, and changes nothing', async () => {
    const out = join(dir, 'out');
    await makeFiles(out, ['a.txt'], 1);
    for (const [mine, wanted] of [
      ['b.txt', 'b.txt'],
      ['c', 'c/d.txt'],
      ['e/f.txt', 'e'],
    ] as const) {
      mkdirSync(dirname(join(out, mine)), { recursive: true });
      writeFileSync(join(out, mine), 'mine');
      const before = tree(out);
      await assert.rejects(makeFiles(out, ['a.txt', wanted], 2), (error: Error) => {
        assert.equal(error.name, 'UserError', error.stack);
        assert(error.message.startsWith(`${join(out, mine)}: expected no file of that name`), error.message);
        return true;
      });
      assert.deepEqual(tree(out), before);
      assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'a.txt 1');
      assert.equal(readFileSync(join(out, mine), 'utf8'), 'mine');
      rmSync(join(out, mine.split('/')[0]!), { recursive: true });
    }
  });

  it('deletes nothing where the manifest does not say what was written, or leads out of the folder', async () => {
    const out = join(dir, 'out');
    writeFileSync(join(dir, 'precious.txt'), 'mine');
    for (const files of [undefined, 'a.txt', [1], ['../precious.txt'], [join(dir, 'precious.txt')]]) {
      rmSync(out, { recursive: true, force: true });
      await makeFiles(out, ['a.txt'], 1);
      writeFileSync(join(out, 'manifest.json'), JSON.stringify({ madeBy: 'test', files }));
      await assert.rejects(makeFiles(out, ['a.txt'], 2), {
        name: 'UserError',
        message: /manifest\.json: expected the list of files that test wrote, got none/,
      });
      assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'a.txt 1');
    }
    assert.equal(readFileSync(join(dir, 'precious.txt'), 'utf8'), 'mine');
  });

  it('leaves its own earlier folder as it was when making fails', async () => {
    const out = join(dir, 'out');
    await make(out, 'first');
    const failing = ownedFolder(out, 'test', async (folder) => {
      await writeFile(join(folder, 'a.txt'), 'half');
      throw new Error('cut short');
    });
    await assert.rejects(failing, /cut short/);
    assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'first');
    assert.deepEqual(readdirSync(dir), ['out']);
  });

  it('refuses what another made, a file, and a path through a file', async () => {
    await make(join(dir, 'other'), 'theirs', 'another');
    mkdirSync(join(dir, 'mine'));
    writeFileSync(join(dir, 'mine', 'manifest.json'), 'not JSON');
    writeFileSync(join(dir, 'file'), 'x');
    for (const path of ['other', 'mine', 'file', 'file/out'])
      await assert.rejects(make(join(dir, path)), (error: Error) => {
        assert.equal(error.name, 'UserError');
        assert(error.message.startsWith(join(dir, path)), error.message);
        return true;
      });
    assert.equal(readFileSync(join(dir, 'other/a.txt'), 'utf8'), 'theirs');
    assert(!existsSync(join(dir, '.other.part')));
  });
});
