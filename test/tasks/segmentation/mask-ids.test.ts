import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type MaskIds, toClasses } from '../../../src/tasks/segmentation/mask-ids.js';

const refuses = (ids: MaskIds, message: RegExp, stored: number[] = [1]) =>
  assert.throws(() => toClasses(Uint16Array.from(stored), ids, 'a.png'), { name: 'UserError', message });

describe('toClasses', () => {
  it('gives each of up to 255 ids a class of its own, whatever the ids', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 65535 }), { minLength: 1, maxLength: 255 }),
        (ids) => {
          const classes = toClasses(Uint16Array.from(ids), ids, 'a.png');
          assert.deepEqual([...classes], [...ids.keys()]);
        },
      ),
    );
    const most = Array.from({ length: 255 }, (_, k) => k + 300);
    assert.deepEqual([...toClasses(Uint16Array.of(300, 553, 554, 255), most, 'a.png')], [0, 253, 254, 255]);
  });

  it('refuses more classes than masks can tell apart', () => {
    refuses([...Array(256).keys()], /expected at most 255 classes, since 255 marks ignored pixels, got 256/);
    refuses([...Array(300).keys()], /got 300; merge some/);
  });

  it('refuses ids declared twice, and values that are not ids or classes', () => {
    refuses([1, 1, 2], /expected each id once, got 1 twice/);
    for (const id of [-1, 1.5, 65536, Number.NaN]) refuses([0, id], /integers from 0 to 65535/);
    for (const k of [-1, 0.5, 256, Number.NaN])
      refuses({ 1: k }, /classes from 0 to 254, or 255 for ignored, got .* for id 1/);
  });

  it('names all the ids that are not declared, 254 and 300 among them', () => {
    refuses(
      [0, 1],
      /a\.png: expected the ids 0, 1 \(or 255 for ignored\), got 2, 254, 300; declare them with --mask-ids/,
      [0, 300, 254, 255, 2, 2],
    );
    refuses([0, 1], /got 2, 3, 4, 5, 6, 7, 8, 9 and 2 more; declare/, [...Array(12).keys()]);
    refuses([0, 1], /got 2; declare it with/, [2]);
  });
});
