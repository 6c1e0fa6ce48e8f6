import assert from 'node:assert/strict';
import fc from 'fast-check';
import { printable } from '../../src/base/printable.js';

describe('printable', () => {
  it('writes what could move a cursor or turn a line around as an escape', () => {
    assert.equal(
      printable('a\x1b[2J\x07b\rc\x9bd\u202ee\u2028'),
      'a\\x1b[2J\\x07b\\x0dc\\x9bd\\u202ee\\u2028',
    );
  });

  it('leaves all other text as it is', () => {
    const text = 'Größe 5 × 5,\t日本語 é 👍\nnext';
    assert.equal(printable(text), text);
  });

  it('leaves no control character in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(printable(text), /[^\P{Cc}\t\n]/u);
      }),
    );
  });
});
