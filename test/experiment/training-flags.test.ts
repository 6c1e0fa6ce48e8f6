import assert from 'node:assert/strict';
import { classNamesOf } from '../../src/experiment/data-flags.js';

describe('classNamesOf', () => {
  it('uses the given names, those of the embedded pictures, or the ids', () => {
    const [maskIds, classNames] = [
      [0, 255],
      ['nothing', 'nucleus'],
    ];
    assert.deepEqual(classNamesOf({ maskIds, classNames }), ['nothing', 'nucleus']);
    assert.deepEqual(classNamesOf({ maskIds }), ['0', '255']);
    assert.deepEqual(classNamesOf({ maskIds: [1, 2, 3] }), ['pet', 'background', 'border']);
  });

  it('requires a name for each id', () => {
    assert.throws(() => classNamesOf({ maskIds: [1, 2, 3], classNames: ['pet', 'border'] }), {
      name: 'UserError',
      message: '--class-names: expected a name for each of --mask-ids 1,2,3, got pet,border',
    });
  });
});
