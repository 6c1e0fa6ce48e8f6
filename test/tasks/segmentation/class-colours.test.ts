import assert from 'node:assert/strict';
import { PALETTE } from '../../../src/base/palette.js';
import { classColour } from '../../../src/tasks/segmentation/class-colours.js';

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
