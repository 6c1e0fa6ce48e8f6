import assert from 'node:assert/strict';
import { augmentSample } from '../../../../src/data/images/augmentations/augment-sample.js';
import {
  isDeep,
  oneOf,
  sequential,
  type Transform,
} from '../../../../src/data/images/augmentations/augmentation.js';
import { augmentations } from '../../../../src/data/images/augmentations/augmentations.js';
import { colorJitter } from '../../../../src/data/images/augmentations/color-jitter.js';
import { randomErasing } from '../../../../src/data/images/augmentations/erasing.js';
import { horizontalFlip } from '../../../../src/data/images/augmentations/geometric.js';
import { coarseDropout } from '../../../../src/data/images/augmentations/photometric.js';
import { scaleJitter } from '../../../../src/data/images/augmentations/scale-jitter.js';
import { mixedSample } from '../../../../src/data/images/mixing/mix-plans.js';
import type { Mixed, Mixer } from '../../../../src/data/images/mixing/mixer.js';
import { mixers } from '../../../../src/data/images/mixing/mixers.js';
import type { MaskedSample } from '../../../../src/data/types.js';
import { randomStream } from '../../../../src/random/random-stream.js';

const [WIDTH, HEIGHT] = [19, 13];
const byteAt = (pixel: number, c: number, k: number) =>
  (37 * pixel + 91 * c + 59 * k + ((pixel * pixel) >> 3)) % 256;
const ids = (k: number) => Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((i + 5 * k) >> 4) % 3);

/** Sample `k`, of values that are its bytes times `factor`. */
function sample<V extends Uint8Array | Uint16Array>(
  values: { from(length: { length: number }, value: (_: unknown, i: number) => number): V },
  factor: number,
  channels: readonly number[],
  { k = 0, masked = true } = {},
): MaskedSample {
  const image = values.from({ length: WIDTH * HEIGHT * channels.length }, (_, i) => {
    const c = channels[i % channels.length]!;
    return factor * byteAt(Math.floor(i / channels.length), c, k);
  });
  const plan = { item: { stem: `${k}`, image: '', mask: '' }, seed: 3, epoch: 1, index: k };
  return {
    plan,
    width: WIDTH,
    height: HEIGHT,
    // A sample's type does not tell 16-bit values from bytes.
    image: image as unknown as Uint8Array,
    ...(masked && { mask: ids(k) }),
  } as MaskedSample;
}

const RGB = [0, 1, 2];
const bytes = (options = {}) => sample(Uint8Array, 1, RGB, options);
const wide = (channels: readonly number[], options = {}) => sample(Uint16Array, 257, channels, options);

/** The values of one channel. */
const channel = (image: ArrayLike<number>, c: number, channels: number) =>
  Array.from({ length: image.length / channels }, (_, i) => image[channels * i + c]!);

/** Asserts that 16-bit values are those of bytes, times 257, within some bytes. */
function assertNear(deep: ArrayLike<number>, near: ArrayLike<number>, tolerance: number): void {
  assert.equal(deep.length, near.length);
  for (let i = 0; i < near.length; i++)
    assert.ok(
      Math.abs(deep[i]! / 257 - near[i]!) <= tolerance,
      `at ${i}: ${deep[i]! / 257}, expected ${near[i]}`,
    );
}

const certain = (transform: Transform): Transform => ({ ...transform, p: 1 });

/** What differs by: one rounding to a byte, two of a resize in two passes, or not at all. */
const [ROUNDED, RESIZED, SAME] = [0.51, 1.02, 0];

describe('augmentations of 16-bit values of any channels', () => {
  const listed = augmentations.names.map((name) => [name, certain(augmentations.make(name))] as const);
  const taking: [name: string, transform: Transform, tolerance: number][] = [
    ...listed.flatMap(([name, one]): [string, Transform, number][] =>
      'geometric' in one ? [[name, one, ROUNDED]] : [],
    ),
    ['scale-jitter, smaller', scaleJitter({ scale: [0.3, 0.9] }), RESIZED],
    ['scale-jitter, larger', scaleJitter({ scale: [1.1, 2] }), RESIZED],
    ['cutout', certain(coarseDropout()), SAME],
    ['cutout, ignored', certain(coarseDropout({ mask: 'ignore' })), SAME],
    ['erase in grey', certain(randomErasing({ fill: 'grey', mask: 'ignore' })), SAME],
    ['erase in black', certain(randomErasing({ fill: 'black' })), SAME],
  ];
  for (const [name, transform, tolerance] of taking)
    it(`${name}: three channels are as bytes, and any channel as it is alone`, async () => {
      assert.ok(isDeep(transform));
      const near = await augmentSample(bytes(), [transform]);
      const deep = await augmentSample(wide(RGB), [transform]);
      assert.ok((deep.image as Uint8Array | Uint16Array) instanceof Uint16Array);
      assertNear(deep.image, near.image, tolerance);
      assert.deepEqual(deep.mask, near.mask);
      assert.notDeepEqual(near.image, bytes().image);
      const all = [4, 0, 1, 2, 7];
      const five = await augmentSample(wide(all), [transform]);
      assert.deepEqual(five.mask, near.mask);
      for (const [place, c] of all.entries())
        assert.deepEqual(
          channel(five.image, place, all.length),
          channel((await augmentSample(wide([c]), [transform])).image, 0, 1),
        );
    });

  it('erase with noise hides the same pixels, by the upper bits of the same numbers', async () => {
    const transform = certain(randomErasing());
    const near = await augmentSample(bytes(), [transform]);
    const deep = await augmentSample(wide(RGB), [transform]);
    assert.deepEqual(
      [...deep.image].map((value) => value >> 8),
      [...near.image],
    );
    const low = new Set([...deep.image].map((value) => value & 255));
    assert.ok(low.size > 100, 'noise has all 16 bits');
  });

  it('are those that the catalogue says: the others are refused by name', async () => {
    const refused = listed.filter(([, one]) => !isDeep(one));
    assert.deepEqual(
      refused.map(([name]) => name).toSorted(),
      // biome-ignore format: a list
      [
        'autocontrast', 'blur', 'brightness', 'clahe', 'color', 'contrast', 'equalize', 'gamma', 'gray', 'hsv', 'jpeg',
        'light', 'negative', 'noise', 'posterize', 'rand', 'saturation', 'segmentation', 'sharpness', 'solarize',
        'strong', 'study', 'trivial',
      ],
    );
    for (const [name, one] of refused)
      if (!('choose' in one))
        await assert.rejects(
          augmentSample(wide([0, 1, 2, 3]), [one]),
          {
            name: 'UserError',
            message: `augment: expected transforms that take 16-bit values of any channels, got ${one.name}, which needs RGB bytes`,
          },
          name,
        );
    assert.ok(isDeep(sequential([horizontalFlip(), scaleJitter()])));
    assert.ok(isDeep(oneOf([horizontalFlip(), randomErasing()])));
    assert.ok(!isDeep(oneOf([horizontalFlip(), colorJitter()])));
  });
});

describe('mixers of 16-bit values of any channels', () => {
  const mixed = (mixer: Mixer, make: (options: { k: number; masked: boolean }) => MaskedSample) =>
    mixedSample(
      { steps: [{ mixer, random: randomStream(11, 'mix') }] },
      Array.from({ length: 1 + mixer.partners }, (_, k) => make({ k, masked: mixer.masks !== 'refused' })),
    ) as MaskedSample & Mixed;
  const tolerances: Readonly<Record<string, number>> = { mixup: ROUNDED, mosaic: RESIZED };

  for (const name of mixers.names)
    it(`${name}: three channels are as bytes, and any channel as it is alone`, () => {
      const mixer = mixers.make(name);
      assert.ok(mixer.deep);
      const near = mixed(mixer, bytes);
      const deep = mixed(mixer, (options) => wide(RGB, options));
      assertNear(deep.image, near.image, tolerances[name] ?? SAME);
      assert.deepEqual([deep.mask, deep.parts], [near.mask, near.parts]);
      assert.notDeepEqual(near.image, bytes().image);
      const all = [4, 0, 1, 2, 7];
      const five = mixed(mixer, (options) => wide(all, options));
      for (const [place, c] of all.entries())
        assert.deepEqual(
          channel(five.image, place, all.length),
          channel(mixed(mixer, (options) => wide([c], options)).image, 0, 1),
        );
    });

  it('are refused by name where they do not say that they take them, and where pictures have other channels', () => {
    const plain: Mixer = { name: 'plain', p: 1, partners: 1, mix: () => [1, 0] };
    assert.throws(() => mixed(plain, (options) => wide([0, 1], options)), {
      name: 'UserError',
      message:
        'mixSamples: expected mixers that take 16-bit values of any channels, got plain, which needs RGB bytes',
    });
    assert.throws(
      () => mixed(mixers.make('cutmix'), (options) => wide(options.k === 0 ? [0, 1] : RGB, options)),
      /mixSamples: expected samples of as many channels each, got 2 and 3/,
    );
  });
});
