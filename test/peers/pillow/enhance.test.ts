import assert from 'node:assert/strict';
import type { Python } from '../../../bench/peers/python.js';
import type { Colours } from '../../../src/data/images/augmentations/augmentation.js';
import { brightness } from '../../../src/data/images/augmentations/enhance.js';
import { posterized, solarized } from '../../../src/data/images/augmentations/tone.js';
import { contrast, saturation, sharpness } from '../../../src/data/pixels/enhanced.js';
import { autoContrasted, equalized } from '../../../src/data/pixels/equalized.js';
import { type Random, randomStream } from '../../../src/random/random-stream.js';
import { needsPython } from '../python.js';

const OPERATIONS: Record<string, (colours: Colours, value: number) => void> = {
  brightness,
  contrast,
  saturation,
  sharpness,
  posterize: posterized,
  solarize: solarized,
  invert: (colours) => solarized(colours, 0),
  autocontrast: ({ image }) => autoContrasted(image),
  equalize: ({ image }) => equalized(image),
};

/** Pictures of all bytes, of few bytes, of one colour and smooth ones, from one pixel up. */
function picture(random: Random): Colours {
  const [width, height] = [1 + Math.floor(40 * random()), 1 + Math.floor(40 * random())];
  const [low, range] = [Math.floor(200 * random()), 1 + Math.floor(56 * random())];
  const kind = Math.floor(4 * random());
  const image = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    if (kind === 0) return Math.floor(256 * random());
    if (kind === 1) return low + Math.floor(range * random());
    return kind === 2 ? low : (i * 7 + Math.floor(3 * random())) % 256;
  });
  return { width, height, image };
}

describe("Pillow's enhancements", () => {
  let python: Python;
  before(async function () {
    python = await needsPython(this, 'pillow', ['pillow==11.3.0']);
  });

  for (const [operation, change] of Object.entries(OPERATIONS))
    it(`${operation}: has the same bytes`, async () => {
      const random = randomStream(1, operation);
      const cases = Array.from({ length: 200 }, (_, i) => {
        const value =
          operation === 'posterize'
            ? 1 + Math.floor(8 * random())
            : operation === 'solarize'
              ? 256 * random()
              : ([0, 1, 2][i] ?? 2.5 * random());
        return { operation, value, ...picture(random) };
      });
      const input = cases.map(({ image, ...rest }) => ({
        ...rest,
        image: Buffer.from(image).toString('base64'),
      }));
      const made = await python.json<string[]>(new URL('enhance_twin.py', import.meta.url), [], input);
      cases.forEach((one, i) => {
        change(one, one.value);
        assert.equal(Buffer.from(one.image).toString('base64'), made[i], `${i}: ${one.value}`);
      });
    });
});
