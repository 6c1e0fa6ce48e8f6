import assert from 'node:assert/strict';
import fc from 'fast-check';
import { augmentSample } from '../../../../src/data/images/augmentations/augment-sample.js';
import { oneOf, type Transform } from '../../../../src/data/images/augmentations/augmentation.js';
import { colorJitter } from '../../../../src/data/images/augmentations/color-jitter.js';
import {
  affine,
  horizontalFlip,
  randomResizedCrop,
  rotate,
  rotate90,
  verticalFlip,
} from '../../../../src/data/images/augmentations/geometric.js';
import {
  coarseDropout,
  gaussianBlur,
  gaussNoise,
  imageCompression,
  randomGamma,
  toGray,
} from '../../../../src/data/images/augmentations/photometric.js';
import type { MaskedSample } from '../../../../src/data/types.js';

const pair = { stem: 'a', image: 'a.jpg', mask: 'a.png' };

/** A picture from a function of the pixel to [r, g, b, class]. */
function draw(size: number, pixel: (x: number, y: number) => readonly number[], index = 0): MaskedSample {
  const image = new Uint8Array(size * size * 3);
  const mask = new Uint8Array(size * size);
  for (let i = 0; i < mask.length; i++) {
    const [r, g, b, id] = pixel(i % size, Math.floor(i / size));
    image.set([r!, g!, b!], i * 3);
    mask[i] = id!;
  }
  return { plan: { item: pair, seed: 1, epoch: 1, index }, width: size, height: size, image, mask };
}

/** A picture whose colour tells its class: 0 black, 1 white. */
const twoTone = (size: number, index = 0) =>
  draw(size, (x, y) => (x < size / 3 && y < size / 2 ? [255, 255, 255, 1] : [0, 0, 0, 0]), index);

const fixed = (geometric: readonly [number, number, number, number, number, number]): Transform => ({
  name: 'fixed',
  p: 1,
  geometric: () => geometric,
});

describe('augmentSample', () => {
  it('flips and turns exactly, image and mask alike', async () => {
    for (const transform of [horizontalFlip({ p: 1 }), verticalFlip({ p: 1 }), rotate90()]) {
      const { image, mask } = await augmentSample(twoTone(12), [transform]);
      mask.forEach((id, i) => assert.equal(image[i * 3], id * 255, transform.name));
    }
    const before = draw(5, (x, y) => [x * 10, y * 10, x + y, (x + y) % 3]);
    const flip = [horizontalFlip({ p: 1 })];
    const after = await augmentSample(before, flip);
    assert.deepEqual([...after.image.subarray(0, 3)], [40, 0, 4]);
    assert.equal(after.mask[0], 1);
    const twice = await augmentSample(after, flip);
    assert.deepEqual([twice.image, twice.mask], [before.image, before.mask]);
  });

  it('samples where the composed map says: a linear ramp stays linear', async () => {
    // Bilinear interpolation reproduces 8x + 2y exactly, so the value tells where a pixel came from.
    const size = 24;
    const ramp = draw(size, (x, y) => [8 * x + 2 * y, 0, 0, x]);
    const cos = Math.cos(0.3);
    const sin = Math.sin(0.3);
    const { image, mask } = await augmentSample(ramp, [
      fixed([0.5, 0, 0.1, 0, 0.5, 0]), // enlarges the middle twofold, moved by a tenth
      fixed([cos, -sin, 0, sin, cos, 0]),
    ]);
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++) {
        const [u, v] = [(x + 0.5) / size - 0.5, (y + 0.5) / size - 0.5];
        const fromX = (0.5 * (cos * u - sin * v) + 0.1 + 0.5) * size - 0.5;
        const fromY = (0.5 * (sin * u + cos * v) + 0.5) * size - 0.5;
        assert.ok(Math.abs(image[(y * size + x) * 3]! - (8 * fromX + 2 * fromY)) <= 0.500001);
        assert.equal(mask[y * size + x], Math.round(fromX));
      }
  });

  it('marks what comes from outside as black and ignored', async () => {
    const { image, mask } = await augmentSample(
      draw(20, () => [9, 9, 9, 1]),
      [fixed([2, 0, 0, 0, 2, 0])],
    );
    const ids = (y: number) => [...mask.subarray(y * 20, y * 20 + 20)];
    assert.deepEqual(ids(4), Array<number>(20).fill(255));
    assert.deepEqual(
      ids(10),
      Array.from({ length: 20 }, (_, x) => (x < 5 || x > 14 ? 255 : 1)),
    );
    assert.deepEqual([image[0], image[(10 * 20 + 10) * 3]], [0, 9]);
  });

  it('moves image and mask by one map, whatever is composed', async () => {
    const transforms = [
      horizontalFlip(),
      rotate({ limit: 45, p: 1 }),
      affine({ scale: [0.7, 1.4], translate: 0.2, shear: 10, p: 1 }),
      randomResizedCrop(),
    ];
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (index) => {
        const { image, mask } = await augmentSample(twoTone(40, index), transforms);
        // The nearest pixel, from which the id comes, weighs at least a quarter in the colour.
        const wrong = mask.filter((id, i) => id !== 255 && Math.abs(image[i * 3]! - id * 255) > 192).length;
        assert.equal(wrong, 0);
      }),
    );
  });

  it('is a function of seed, epoch and index, and never changes its input', async () => {
    const transforms = [horizontalFlip(), rotate({ p: 1 }), colorJitter({ p: 1 }), gaussNoise({ p: 1 })];
    const before = twoTone(16, 9);
    const copy = before.image.slice();
    const [a, b] = await Promise.all([augmentSample(before, transforms), augmentSample(before, transforms)]);
    assert.deepEqual(a, b);
    assert.deepEqual(before.image, copy);
    const later = { ...before, plan: { ...before.plan, epoch: 2 } };
    assert.notDeepEqual(a.image, (await augmentSample(later, transforms)).image);
  });

  it('changes no draw of the others when a transform is added at the end', async () => {
    const same = await augmentSample(twoTone(16), [rotate({ p: 1 }), toGray({ p: 0 })]);
    assert.deepEqual(same.image, (await augmentSample(twoTone(16), [rotate({ p: 1 })])).image);
  });
});

describe('transforms', () => {
  it('are applied as often as p says; oneOf picks in proportion to p', async () => {
    const mark = (value: number, p: number): Transform => ({
      name: `mark ${value}`,
      p,
      photometric: ({ image }) => {
        image.fill(value);
      },
    });
    const counts = [0, 0, 0];
    for (let index = 0; index < 2000; index++) {
      const { image } = await augmentSample(
        draw(1, () => [0, 0, 0, 0], index),
        [oneOf([mark(1, 1), mark(2, 3)], { p: 0.4 })],
      );
      counts[image[0]!]!++;
    }
    // 1200, 200, 600 expected; five standard deviations are at most 110
    [1200, 200, 600].forEach((expected, k) => assert.ok(Math.abs(counts[k]! - expected) < 110, `${counts}`));
  });

  it('turn a wide picture without bending it, by half turns alone where it must stay exact', async () => {
    const [width, height] = [48, 16];
    const square = {
      width,
      height,
      image: new Uint8Array(width * height * 3),
      mask: new Uint8Array(width * height),
    };
    for (let y = 4; y < 12; y++) square.mask.fill(1, y * width + 20, y * width + 28);
    const sampleAt = (index: number) => ({ plan: { item: pair, seed: 1, epoch: 1, index }, ...square });
    const steep: Transform = { ...rotate(), name: 'steep', p: 1 };
    const quarter = 'geometric' in steep && {
      ...steep,
      geometric: (_: unknown, aspect: number, across: number) => steep.geometric(() => 1, aspect, across),
    };
    // A square in the middle turned by 15 degrees keeps its area and reaches (cos 15° + sin 15°) · 4 from the middle.
    const { mask } = await augmentSample(sampleAt(0), [quarter as Transform]);
    const inside = [...mask.keys()].filter((i) => mask[i] === 1);
    assert.ok(Math.abs(inside.length - 64) <= 6, `${inside.length}`);
    const reach = (place: (i: number) => number) => Math.max(...inside.map(place));
    assert.ok(Math.abs(reach((i) => Math.abs((i % width) - 23.5)) - 4.4) <= 0.6);
    assert.ok(Math.abs(reach((i) => Math.abs(Math.floor(i / width) - 7.5)) - 4.4) <= 0.6);
    square.mask[0] = 2;
    const corners = new Set<string>();
    for (let index = 0; index < 20; index++) {
      const turned = await augmentSample(sampleAt(index), [rotate90()]);
      assert.equal(turned.mask.indexOf(255), -1);
      corners.add(`${turned.mask.indexOf(2)}`);
    }
    assert.deepEqual([...corners].toSorted(), ['0', `${width * height - 1}`]);
  });

  it('leave the mask alone when only colours change, and each changes something', async () => {
    const before = draw(32, (x, y) => [x * 7, y * 5, (x * y) % 200, (x + y) % 3], 5);
    for (const transform of [
      colorJitter({ hue: 0.1, p: 1 }),
      randomGamma({ p: 1 }),
      gaussNoise({ p: 1 }),
      toGray({ p: 1 }),
      gaussianBlur({ p: 1 }),
      imageCompression({ p: 1 }),
      coarseDropout({ p: 1 }),
    ]) {
      const after = await augmentSample(before, [transform]);
      assert.equal(after.mask, before.mask, transform.name);
      assert.notDeepEqual(after.image, before.image, transform.name);
    }
  });

  it('jitter colours by the factors that they draw', async () => {
    const picture = draw(2, () => [100, 50, 20, 0], 3);
    const [exact, hue] = [{ brightness: 0, contrast: 0, saturation: 0, p: 1 }, 1 / 3];
    const none = await augmentSample(picture, [colorJitter(exact)]);
    assert.deepEqual(none.image, picture.image);
    // Draws are −limit … limit; a stream that gives 1 in the limit makes each factor 1 + x.
    const most = () => 1;
    const jitter = (options: object) => {
      const image = Uint8Array.from([100, 50, 20, 20, 50, 100]);
      const transform = colorJitter({ ...exact, ...options });
      if ('photometric' in transform) void transform.photometric({ width: 2, height: 1, image }, most);
      return [...image];
    };
    assert.deepEqual(jitter({ brightness: 0.5 }), [150, 75, 30, 30, 75, 150]);
    assert.deepEqual(jitter({ hue }), [20, 100, 50, 100, 20, 50]); // a third of a turn: red becomes green
    // mean luma 54.13: (.299 + .114)·60 + .587·50
    assert.deepEqual(jitter({ contrast: 0.5 }), [123, 48, 3, 3, 48, 123]);
    // lumas 61.53 and 46.73
    assert.deepEqual(jitter({ saturation: 1 }), [138, 38, 0, 0, 53, 153]);
  });

  it('add noise of the deviation that they draw', () => {
    const transform = gaussNoise({ limit: 20, p: 1 });
    const image = new Uint8Array(3 * 100 * 100).fill(128);
    if ('photometric' in transform) void transform.photometric({ width: 100, height: 100, image }, () => 0.5);
    const mean = image.reduce((a, b) => a + b) / image.length;
    const deviation = Math.sqrt(image.reduce((sum, v) => sum + (v - mean) ** 2, 0) / image.length);
    assert.ok(Math.abs(mean - 128) < 0.3 && Math.abs(deviation - 10) < 0.3, `${mean} ± ${deviation}`);
  });

  it('blur a point into a Gaussian and leave an even picture even', () => {
    const blurred = (image: Uint8Array, size: number) => {
      const transform = gaussianBlur({ sigma: [1, 1], p: 1 });
      if ('photometric' in transform)
        void transform.photometric({ width: size, height: size, image }, () => 0.5);
      return image;
    };
    assert.deepEqual(blurred(new Uint8Array(75).fill(77), 5), new Uint8Array(75).fill(77));
    const point = new Uint8Array(9 * 9 * 3);
    point.fill(255, (4 * 9 + 4) * 3, (4 * 9 + 5) * 3);
    const row = [0, 1, 2].map((d) => blurred(point.slice(), 9)[(4 * 9 + 4 + d) * 3]!);
    // 255·g(0)·g(d) with g the normal density at 0, 1, 2 over its sum
    assert.deepEqual(row, [41, 25, 5]);
  });
});
