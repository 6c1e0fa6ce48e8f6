import assert from 'node:assert/strict';
import { UserError } from '../../src/base/errors.js';

describe('UserError', () => {
  it('is one line, whatever names a file brings into it', () => {
    const { message } = new UserError('a.tar: expected an image of a, got jp\n, cls');
    assert.equal(message, 'a.tar: expected an image of a, got jp , cls');
  });
});
