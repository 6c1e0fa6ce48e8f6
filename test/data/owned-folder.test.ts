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
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownedFolder } from '../../src/data/owned-folder.js';

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
    assert.deepEqual(manifest, { madeBy: 'test', text: 'new' });
  });

  it('replaces an empty folder, its own folder, and what a killed run left', async () => {
    const out = join(dir, 'out');
    mkdirSync(out);
    mkdirSync(join(dir, '.out.part'));
    writeFileSync(join(dir, '.out.part', 'half'), 'half');
    await make(out, 'first');
    writeFileSync(join(out, 'stale.txt'), 'stale');
    await make(out, 'second');
    assert.deepEqual(readdirSync(out).toSorted(), ['a.txt', 'manifest.json']);
    assert.equal(readFileSync(join(out, 'a.txt'), 'utf8'), 'second');
    assert.deepEqual(readdirSync(dir), ['out']);
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
