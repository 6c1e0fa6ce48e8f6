import assert from 'node:assert/strict';
import { PALETTE } from '../../../src/base/palette.js';
import { classColour, classColours } from '../../../src/tasks/segmentation/class-colours.js';
import { parsePalette } from '../../../src/tasks/segmentation/palette.js';

describe('classColour', () => {
  const colours = Array.from({ length: 255 }, (_, k) => classColour(k));

  it('gives the palette first, then further colours, for as many classes as masks can hold', () => {
    assert.deepEqual(colours.slice(0, PALETTE.length), PALETTE);
    for (const colour of colours) assert.match(colour, /^#[0-9a-f]{6}$/i);
    assert.equal(new Set(colours.map((colour) => colour.toLowerCase())).size, colours.length);
  });

  it('keeps the first thirty distinguishable at half transparency over grey', () => {
    const rgb = colours
      .slice(0, 30)
      .map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 2));
    for (const [i, a] of rgb.entries())
      for (const [j, b] of rgb.slice(0, i).entries()) {
        const distance = Math.hypot(...a.map((value, c) => value - b[c]!));
        assert.ok(distance > 10, `${colours[i]} and ${colours[j]}: ${distance}`);
      }
  });
});

describe('classColours', () => {
  const palette = parsePalette('0 0 0 void\n128 64 128 road\n0 0 192 kerb\n0 0 193 kerb\n9 9 9 tree', 'mine');

  it('are the first colours of a palette, by the classes that its places mean', () => {
    assert.deepEqual(classColours({ ids: { 0: 255, 1: 0, 2: 1, 3: 2 }, palette }), [
      '#804080',
      '#0000c0',
      '#090909',
    ]);
    assert.deepEqual(classColours({ ids: { 0: 255, 1: 1, 2: 1, 3: 0 }, palette }), ['#090909', '#804080']);
  });

  it('are none where masks store ids', () => {
    assert.equal(classColours({ ids: [0, 1] }), undefined);
  });
});
