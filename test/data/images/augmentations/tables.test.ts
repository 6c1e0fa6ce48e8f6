import assert from 'node:assert/strict';
import { augmentSample } from '../../../../src/data/images/augmentations/augment-sample.js';
import type { Transform } from '../../../../src/data/images/augmentations/augmentation.js';
import { augmentations } from '../../../../src/data/images/augmentations/augmentations.js';
import { brightness, randomBrightness } from '../../../../src/data/images/augmentations/enhance.js';
import {
  invert,
  posterize,
  posterized,
  solarize,
  solarized,
} from '../../../../src/data/images/augmentations/tone.js';
import { drafted, draftOf } from '../../../../src/data/pixels/draft.js';
import type { Item, Sample } from '../../../../src/data/types.js';

const [WIDTH, HEIGHT] = [17, 11];
const bytes = () => Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, (_, i) => (i * 97 + (i >> 4)) % 256);

describe('augmentations that look at each byte by itself', () => {
  const size = { width: WIDTH, height: HEIGHT };
  type Change = (image: Uint8Array) => void;
  const table: [name: string, transform: Transform, change: Change][] = [
    ['posterize', posterize({ bits: [3, 3], p: 1 }), (image) => posterized({ ...size, image }, 3)],
    [
      'solarize',
      solarize({ threshold: [100.5, 100.5], p: 1 }),
      (image) => solarized({ ...size, image }, 100.5),
    ],
    ['invert', invert({ p: 1 }), (image) => solarized({ ...size, image }, 0)],
    // Of limits 0 the factor is 1, which changes nothing; a larger one is drawn, and found by its white.
    ['brightness of 1', randomBrightness({ limit: 0, p: 1 }), () => {}],
  ];
  for (const [name, transform, change] of table)
    it(`${name}: is left to native code, and makes the bytes of its definition`, async () => {
      const plan = { item: { stem: 'a' }, seed: 1, epoch: 1, index: 0 };
      const draft = { ...size, image: bytes(), edits: [] };
      const sample = drafted<Sample<Item>>({ plan, ...size }, draft);
      const changed = await augmentSample(sample, [transform]);
      assert.deepEqual(
        draftOf(changed)?.edits.map(({ kind }) => kind),
        ['table'],
      );
      const expected = bytes();
      change(expected);
      assert.deepEqual(changed.image, expected);
    });

  it('brightness makes the bytes of its factor', async () => {
    for (let index = 0; index < 20; index++) {
      const plan = { item: { stem: 'a' }, seed: 1, epoch: 1, index };
      const image = Uint8Array.from({ length: 256 * 3 }, (_, i) => i / 3);
      const sample = { plan, width: 256, height: 1, image };
      const changed = await augmentSample(sample, [randomBrightness({ limit: 0.9, p: 1 })]);
      // A factor below one is told by what is left of white, within what one byte tells.
      const white = changed.image.at(-1)!;
      if (white === 255) continue;
      const least = image.slice();
      brightness({ width: 256, height: 1, image: least }, white / 255);
      changed.image.forEach((byte, i) => assert.ok(Math.abs(byte - least[i]!) <= 1, `${index}: ${i}`));
    }
  });
});

describe('augmentations by name', () => {
  const names =
    'flip vertical-flip rotate90 rotate affine crop padded-crop perspective elastic grid color gamma gray blur noise cutout brightness contrast saturation sharpness hsv posterize solarize negative autocontrast equalize clahe rand trivial study light segmentation scale-jitter';
  const size = { width: WIDTH, height: HEIGHT };
  for (const name of names.split(' '))
    it(`${name}: is left to native code, whatever is drawn`, async () => {
      for (let index = 0; index < 20; index++) {
        const plan = { item: { stem: 'a' }, seed: 1, epoch: 1, index };
        const draft = { ...size, image: bytes(), edits: [] };
        const sample = drafted<Sample<Item>>({ plan, ...size }, draft);
        const changed = await augmentSample(sample, [augmentations.make(name)]);
        assert.equal(draftOf(changed)?.image, draft.image);
      }
    });
});
