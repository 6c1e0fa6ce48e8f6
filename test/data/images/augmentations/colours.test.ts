import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Colours, Transform } from '../../../../src/data/images/augmentations/augmentation.js';
import { clahe } from '../../../../src/data/images/augmentations/clahe.js';
import { brightness } from '../../../../src/data/images/augmentations/enhance.js';
import { hueSaturationValue } from '../../../../src/data/images/augmentations/hue-saturation-value.js';
import { posterized, solarized } from '../../../../src/data/images/augmentations/tone.js';
import { contrast, saturation, sharpness } from '../../../../src/data/pixels/enhanced.js';
import { autoContrasted, equalized } from '../../../../src/data/pixels/equalized.js';

// Made by golden/make_pillow.py.
const { enhance } = JSON.parse(readFileSync(new URL('../golden/pillow.json', import.meta.url), 'utf8')) as {
  readonly enhance: readonly {
    readonly operation: string;
    readonly value: number;
    readonly picture: 'plain' | 'dull';
    readonly bytes: string;
  }[];
};

const OPERATIONS: Record<string, (colours: Colours, value: number) => void> = {
  brightness,
  contrast,
  saturation,
  sharpness,
  posterize: posterized,
  solarize: solarized,
  autocontrast: ({ image }) => autoContrasted(image),
  equalize: ({ image }) => equalized(image),
};

/** The picture that the script draws. */
function picture(kind: 'plain' | 'dull'): Colours {
  const values = Uint8Array.from({ length: 13 * 9 * 3 }, (_, i) => i * i * 7 + i * 31 + (i >> 3) * 13);
  const image = kind === 'plain' ? values : values.map((value) => 60 + (value % 90));
  return { width: 13, height: 9, image };
}

describe('colour operations that Pillow has', () => {
  for (const [operation, change] of Object.entries(OPERATIONS))
    it(`${operation}: has Pillow's bytes`, () => {
      const cases = enhance.filter((one) => one.operation === operation);
      assert.ok(cases.length >= 2);
      for (const { value, picture: kind, bytes } of cases) {
        const colours = picture(kind);
        change(colours, value);
        assert.equal(Buffer.from(colours.image).toString('base64'), bytes, `${kind} ${value}`);
      }
    });
});

/** Changes colours by a transform whose draws are all one number. */
function changed(transform: Transform, colours: Colours, draw: number): readonly number[] {
  if (!('photometric' in transform)) throw new Error('expected a change of colours');
  void transform.photometric(colours, () => draw);
  return [...colours.image];
}

describe('hueSaturationValue', () => {
  const none = { hue: 0, saturation: 0, value: 0 };
  const pixel = (...image: number[]) => ({ width: 1, height: 1, image: Uint8Array.from(image) });
  it('turns hues, and shifts saturation and value', () => {
    const shift = (options: object, draw: number, ...rgb: number[]) =>
      changed(hueSaturationValue({ ...none, ...options }), pixel(...rgb), draw);
    // A third of the circle either way: red becomes green, or blue.
    assert.deepEqual(shift({ hue: 1 / 3 }, 1, 100, 50, 20), [20, 100, 50]);
    assert.deepEqual(shift({ hue: 1 / 3 }, 0, 100, 50, 20), [50, 20, 100]);
    // Value 100/255 + .1 = 125.5/255; the ratios 1 : .5 : .2 stay.
    assert.deepEqual(shift({ value: 0.1 }, 1, 100, 50, 20), [126, 63, 25]);
    // Saturation .8 + .2 = 1: blue is 0, and green lies half way, as 50 lies 5/8 of the way from 100 to 20.
    assert.deepEqual(shift({ saturation: 0.2 }, 1, 100, 50, 20), [100, 38, 0]);
    // Grey stays grey.
    assert.deepEqual(shift({ hue: 0.3, saturation: 0.5 }, 1, 90, 90, 90), [90, 90, 90]);
  });
});

describe('clahe', () => {
  const size = 64;
  const even = (value: number) => ({
    width: size,
    height: size,
    image: new Uint8Array(3 * size ** 2).fill(value),
  });

  it('leaves an even picture even, within its clip', () => {
    for (const value of [0, 100, 255]) {
      const after = changed(clahe({ clip: [2, 2] }), even(value), 0.5);
      assert.equal(new Set(after).size, 1);
      // A bin keeps at most 2 of 256 shares of the counts, so that the map leaves the diagonal by that much.
      assert.ok(Math.abs(after[0]! - value) <= 3, `${value} ${after[0]}`);
    }
  });

  it('spreads a dull picture, more of it the higher the clip', () => {
    const dull = () => {
      const { image, ...rest } = even(0);
      return { ...rest, image: image.map((_, i) => 100 + (Math.floor(i / 3) % 16)) };
    };
    const range = (clip: number) => {
      const after = changed(clahe({ clip: [clip, clip] }), dull(), 0.5);
      return Math.max(...after) - Math.min(...after);
    };
    assert.ok(
      range(2) > 20 && range(4) > range(2) && range(100) > 220,
      `${range(2)} ${range(4)} ${range(100)}`,
    );
  });
});
