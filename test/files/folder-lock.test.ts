import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from '../../src/files/folder-lock.js';

/** No process has it: Linux's ids end at 2²². */
const DEAD = 2 ** 30;

describe('lockFolder', () => {
  let dir: string;
  let own: { host: string; pid: number; started: string | null };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const release = lockFolder(dir);
    own = JSON.parse(readFileSync(join(dir, '.lock'), 'utf8')) as typeof own;
    release();
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const locked = (holder: object, secondsAgo = 0) => {
    writeFileSync(join(dir, '.lock'), JSON.stringify(holder));
    const then = Date.now() / 1000 - secondsAgo;
    utimesSync(join(dir, '.lock'), then, then);
  };
  const takesOver = () => {
    const release = lockFolder(dir);
    assert.deepEqual(JSON.parse(readFileSync(join(dir, '.lock'), 'utf8')), own);
    release();
    assert.deepEqual(readdirSync(dir), []);
  };
  const refuses = (who: RegExp) => assert.throws(() => lockFolder(dir), { name: 'UserError', message: who });

  it('is for one at a time, and leaves nothing', () => {
    const release = lockFolder(dir);
    refuses(new RegExp(`expected a folder .*process ${process.pid} on .* has locked; wait for it`));
    release();
    release();
    takesOver();
  });

  it('makes the folder, and removes what it made where that stays empty', () => {
    const deep = join(dir, 'models/lora');
    lockFolder(deep)();
    assert.deepEqual(readdirSync(dir), []);
    const release = lockFolder(deep);
    writeFileSync(join(deep, 'kept'), '');
    release();
    assert.deepEqual(readdirSync(deep), ['kept']);
  });

  it('takes over from a process that has died, and from an earlier one of the same id', () => {
    locked({ ...own, pid: DEAD });
    takesOver();
    locked({ ...own, started: '1' });
    takesOver();
  });

  it('judges a process on another machine by its signs of life', () => {
    locked({ ...own, host: 'elsewhere', pid: DEAD }, 60);
    refuses(/process \d+ on elsewhere has locked/);
    locked({ ...own, host: 'elsewhere' }, 600);
    takesOver();
  });

  it('leaves one alone that is being written, and takes over what a full disk cut short', () => {
    locked({}, 0);
    refuses(/another process has locked/);
    locked({}, 600);
    takesOver();
  });

  it('leaves a lock alone that another process has taken over', () => {
    const release = lockFolder(dir);
    rmSync(join(dir, '.lock'));
    locked({ ...own, host: 'elsewhere' });
    release();
    assert(existsSync(join(dir, '.lock')));
  });

  it('says the real reason why a folder cannot be written', () => {
    writeFileSync(join(dir, 'file'), '');
    const message = /file.*: expected to write here, but a (part of the path is a file|file exists)/;
    for (const path of ['file', 'file/below'])
      assert.throws(() => lockFolder(join(dir, path)), { name: 'UserError', message });
    mkdirSync(join(dir, '.lock'));
    assert.throws(() => lockFolder(dir), { name: 'UserError' });
  });
});
