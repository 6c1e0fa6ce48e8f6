import assert from 'node:assert/strict';
import { say } from '../../src/base/say.js';

describe('say', () => {
  it('prints one line, whatever names a file brings into it', () => {
    const { write } = process.stderr;
    const written: unknown[] = [];
    process.stderr.write = (text: unknown) => written.push(text) > 0;
    try {
      say('a\n\x1b[2Jb.png: skipped');
    } finally {
      process.stderr.write = write;
    }
    assert.deepEqual(written, ['a\\n\\x1b[2Jb.png: skipped\n']);
  });
});
