import assert from 'node:assert/strict';
import fc from 'fast-check';
import { augmentSample } from '../../../../src/data/images/augmentations/augment-sample.js';
import type { Transform } from '../../../../src/data/images/augmentations/augmentation.js';
import { augmentations } from '../../../../src/data/images/augmentations/augmentations.js';
import { elasticTransform, gridDistortion } from '../../../../src/data/images/augmentations/elastic.js';
import {
  randomBrightness,
  randomContrast,
  randomSaturation,
  randomSharpness,
} from '../../../../src/data/images/augmentations/enhance.js';
import { affine, rotate } from '../../../../src/data/images/augmentations/geometric.js';
import { hueSaturationValue } from '../../../../src/data/images/augmentations/hue-saturation-value.js';
import { perspective } from '../../../../src/data/images/augmentations/perspective.js';
import { randAugment } from '../../../../src/data/images/augmentations/rand-augment.js';
import { randomCrop, scaleJitter } from '../../../../src/data/images/augmentations/scale-jitter.js';
import { posterize, solarize } from '../../../../src/data/images/augmentations/tone.js';
import type { MaskedSample } from '../../../../src/data/types.js';

const item = { stem: 'a', image: 'a.jpg', mask: 'a.png' };

/** Pictures of any small size with a few classes and ignored pixels. */
const samples: fc.Arbitrary<MaskedSample> = fc
  .record({ width: fc.integer({ min: 1, max: 33 }), height: fc.integer({ min: 1, max: 33 }), seed: fc.nat() })
  .chain(({ width, height, seed }) =>
    fc.record({
      plan: fc.record({
        item: fc.constant(item),
        seed: fc.constant(seed),
        epoch: fc.nat(9),
        index: fc.nat(),
      }),
      width: fc.constant(width),
      height: fc.constant(height),
      image: fc.uint8Array({ minLength: 3 * width * height, maxLength: 3 * width * height }),
      mask: fc
        .array(fc.constantFrom(0, 1, 7, 255), { minLength: width * height, maxLength: width * height })
        .map((ids) => Uint8Array.from(ids)),
    }),
  );

const always = (transform: Transform): Transform => ({ ...transform, p: 1 });

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe('each augmentation of the catalogue', () => {
  for (const name of augmentations.names)
    it(`${name}: keeps sizes, invents no class, leaves its input, and repeats itself`, async () => {
      const transform = always(augmentations.make(name));
      await fc.assert(
        fc.asyncProperty(samples, async (sample) => {
          const before = { image: sample.image.slice(), mask: sample.mask.slice() };
          const [a, b] = [await augmentSample(sample, [transform]), await augmentSample(sample, [transform])];
          assert.ok(same(sample.image, before.image) && same(sample.mask, before.mask), 'its input changed');
          assert.equal(a.image.constructor, Uint8Array);
          assert.equal(a.mask.constructor, Uint8Array);
          assert.equal(a.image.length, sample.image.length);
          assert.equal(a.mask.length, sample.mask.length);
          assert.notEqual(a.image.buffer, sample.image.buffer);
          const ids = new Set([255, ...sample.mask]);
          assert.ok(a.mask.every((id) => ids.has(id)));
          assert.ok(same(a.image, b.image) && same(a.mask, b.mask), 'it does not repeat itself');
        }),
        { numRuns: 25 },
      );
    });

  for (const name of augmentations.names)
    it(`${name}: takes a picture without a mask as it takes one with a mask`, async () => {
      const transform = always(augmentations.make(name));
      await fc.assert(
        fc.asyncProperty(samples, async ({ plan, width, height, image }) => {
          const sample = { plan, width, height, image };
          const alone = await augmentSample(sample, [transform]);
          assert.ok(!('mask' in alone));
          const mask = new Uint8Array(sample.width * sample.height);
          const both = await augmentSample({ ...sample, mask }, [transform]);
          assert.ok(same(alone.image, both.image));
        }),
        { numRuns: 10 },
      );
    });
});

describe('an augmentation of magnitude 0', () => {
  const none: readonly Transform[] = [
    rotate({ limit: 0 }),
    affine({ scale: [1, 1], translate: 0 }),
    scaleJitter({ scale: [1, 1] }),
    randomCrop({ padding: 0 }),
    perspective({ scale: 0 }),
    elasticTransform({ deviation: 0 }),
    gridDistortion({ limit: 0 }),
    randomBrightness({ limit: 0 }),
    randomContrast({ limit: 0 }),
    randomSaturation({ limit: 0 }),
    randomSharpness({ limit: 0 }),
    hueSaturationValue({ hue: 0, saturation: 0, value: 0 }),
    posterize({ bits: [8, 8] }),
    solarize({ threshold: [256, 256] }),
    randAugment({ operations: 0 }),
  ];
  for (const transform of none)
    it(`changes nothing: ${transform.name}`, () =>
      fc.assert(
        fc.asyncProperty(samples, async (sample) => {
          const { image, mask } = await augmentSample(sample, [always(transform)]);
          assert.deepEqual(mask, sample.mask);
          assert.deepEqual(image, sample.image);
        }),
        { numRuns: 40 },
      ));
});
