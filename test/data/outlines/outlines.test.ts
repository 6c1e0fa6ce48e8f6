import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readMask } from '../../../src/data/images/image-file.js';
import { drawn, type Outlines, type Shape } from '../../../src/data/outlines/outlines.js';
import { runLengths } from '../../../src/data/outlines/run-lengths.js';

const outlines = (width: number, height: number, ...shapes: Shape[]): Outlines => ({
  kind: 'outlines',
  width,
  height,
  shapes,
  name: 'a.json/1.jpg',
});
const rows = (mask: Outlines) =>
  Array.from({ length: mask.height }, (_, y) =>
    drawn(mask)
      .slice(y * mask.width, (y + 1) * mask.width)
      .join(''),
  );

describe('outlines', () => {
  // Golden: test/peers/coco/masks_twin.py with these polygons.
  it('draw polygons as pycocotools does', () => {
    const [square, triangle] = [
      [1, 1, 4, 1, 4, 3, 1, 3],
      [0, 0, 6, 0, 0, 5],
    ];
    assert.deepEqual(rows(outlines(6, 5, { id: 1, polygons: [square] })), [
      '000000',
      '011100',
      '011100',
      '000000',
      '000000',
    ]);
    assert.deepEqual(rows(outlines(6, 5, { id: 2, polygons: [triangle] })), GOLDEN);
  });

  it('lie over one another in their order, the polygons of one shape together', () => {
    const left = [0, 0, 2, 0, 2, 1, 0, 1];
    const right = [1, 0, 3, 0, 3, 1, 1, 1];
    assert.deepEqual(rows(outlines(3, 1, { id: 3, polygons: [left] }, { id: 300, polygons: [right] })), [
      '3300300',
    ]);
    assert.deepEqual(rows(outlines(3, 1, { id: 1, polygons: [left, right] })), ['111']);
  });

  it('draw run lengths, column by column', () => {
    assert.deepEqual(rows(outlines(3, 2, { id: 7, runs: [1, 2, 3] })), ['070', '700']);
    assert.deepEqual(rows(outlines(3, 2, { id: 7, runs: '123' })), ['070', '700']);
    fc.assert(
      fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 20 }), (runs) => {
        assert.deepEqual(runLengths(text(runs)), runs);
      }),
    );
  });

  it('are read as masks are, of 8 and of 16 bits', async () => {
    for (const id of [1, 300]) {
      const mask = await readMask(outlines(3, 2, { id, runs: [1, 2, 3] }));
      assert.deepEqual(
        { ...mask, data: [...mask.data] },
        { width: 3, height: 2, data: [0, id, 0, id, 0, 0] },
      );
    }
  });

  const bad: [what: string, mask: Outlines, message: RegExp][] = [
    ['no size', outlines(0, 2), /got a size of 0×2/],
    ['too many pixels', outlines(1e6, 1e6), /got 1000000×1000000 pixels, more than 89478485/],
    [
      'two points',
      outlines(2, 2, { id: 1, polygons: [[0, 0, 1, 1]] }),
      /a polygon that has not three points/,
    ],
    [
      'points at the end of the world',
      outlines(2, 2, { id: 1, polygons: [[0, 0, 1e300, 1, 1, 1]] }),
      /boundaries are too long/,
    ],
    ['runs of fewer pixels', outlines(2, 2, { id: 1, runs: [1, 2] }), /are those of 3 pixels, not 4/],
    ['runs of more pixels', outlines(2, 2, { id: 1, runs: [1, 9] }), /not those of 4 pixels/],
    ['damaged text', outlines(2, 2, { id: 1, runs: '1é' }), /run lengths are damaged/],
    ['a text that breaks off', outlines(2, 2, { id: 1, runs: 'P' }), /run lengths are damaged/],
    ['endless numbers', outlines(2, 2, { id: 1, runs: 'ooooooooooo' }), /run lengths are too large/],
  ];
  for (const [what, mask, message] of bad)
    it(`of ${what} are refused by name`, () => {
      assert.throws(
        () => drawn(mask),
        (error: Error) =>
          error.name === 'UserError' &&
          error.message.startsWith('a.json/1.jpg: ') &&
          message.test(error.message),
      );
    });
});

const GOLDEN = ['222220', '222200', '222000', '220000', '200000'];

/** COCO's text of run lengths. */
function text(runs: readonly number[]): string {
  let result = '';
  runs.forEach((run, i) => {
    let rest = i > 2 ? run - runs[i - 2]! : run;
    for (let more = true; more; ) {
      const group = rest & 31;
      rest >>= 5;
      more = (group & 16) !== 0 ? rest !== -1 : rest !== 0;
      result += String.fromCharCode(48 + group + (more ? 32 : 0));
    }
  });
  return result;
}
