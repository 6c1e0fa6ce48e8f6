import assert from 'node:assert/strict';
import fc from 'fast-check';
import { augmentSample } from '../../../../src/data/images/augmentations/augment-sample.js';
import { sequential, type Transform } from '../../../../src/data/images/augmentations/augmentation.js';
import { elasticTransform, gridDistortion } from '../../../../src/data/images/augmentations/elastic.js';
import { randomErasing } from '../../../../src/data/images/augmentations/erasing.js';
import {
  affine,
  horizontalFlip,
  rotate,
  rotate90,
} from '../../../../src/data/images/augmentations/geometric.js';
import { fromCorners, perspective } from '../../../../src/data/images/augmentations/perspective.js';
import { coarseDropout } from '../../../../src/data/images/augmentations/photometric.js';
import { randAugment, trivialAugment } from '../../../../src/data/images/augmentations/rand-augment.js';
import { randomCrop, scaleJitter } from '../../../../src/data/images/augmentations/scale-jitter.js';
import type { MaskedSample } from '../../../../src/data/types.js';

const item = { stem: 'a', image: 'a.jpg', mask: 'a.png' };

/** A picture from a function of the pixel to [r, g, b, class]. */
function draw(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly number[],
  index = 0,
): MaskedSample {
  const image = new Uint8Array(width * height * 3);
  const mask = new Uint8Array(width * height);
  for (let i = 0; i < mask.length; i++) {
    const [r, g, b, id] = pixel(i % width, Math.floor(i / width));
    image.set([r!, g!, b!], i * 3);
    mask[i] = id!;
  }
  return { plan: { item, seed: 1, epoch: 1, index }, width, height, image, mask };
}

/** A picture whose colour tells its class: 0 black, 1 white. */
const twoTone = (width: number, height: number, index: number) =>
  draw(width, height, (x, y) => (x < width / 3 && y < height / 2 ? [255, 255, 255, 1] : [0, 0, 0, 0]), index);

describe('transforms that move pixels', () => {
  const moves: readonly Transform[] = [
    perspective({ p: 1 }),
    elasticTransform({ p: 1 }),
    gridDistortion({ p: 1 }),
    randomCrop(),
    sequential([horizontalFlip(), rotate({ p: 1 }), elasticTransform({ p: 1 }), affine({ p: 1 })]),
  ];
  for (const transform of moves)
    it(`move image and mask by one map: ${transform.name}`, () =>
      fc.assert(
        fc.asyncProperty(fc.nat(1e6), async (index) => {
          const { image, mask } = await augmentSample(twoTone(40, 30, index), [transform]);
          // The nearest pixel, from which the id comes, weighs at least a quarter in the colour.
          const wrong = mask.filter((id, i) => id !== 255 && Math.abs(image[i * 3]! - id * 255) > 192).length;
          assert.equal(wrong, 0);
          assert.ok(mask.some((id) => id !== 255));
        }),
        { numRuns: 50 },
      ));

  it('give a distortion and an affine map the meaning that one affine map has', async () => {
    const turn = rotate({ limit: 40, p: 1 });
    const still: Transform = { name: 'still', p: 1, geometric: () => () => {} };
    for (let index = 0; index < 20; index++) {
      const sample = draw(24, 18, (x, y) => [(x * 53 + y * 17) % 256, x * 9, y * 9, (x + y) % 4], index);
      const plain = await augmentSample(sample, [turn]);
      const mapped: MaskedSample = await augmentSample(sample, [turn, still]);
      // Sums in another order: a value that lies between two bytes may be rounded the other way.
      assert.ok(plain.image.every((value, i) => Math.abs(value - mapped.image[i]!) <= 1));
      assert.deepEqual(plain.mask, mapped.mask);
    }
  });

  it('turn pictures that are not square without a slant', async () => {
    const square = (x: number, y: number) => (Math.abs(x - 31.5) < 6 && Math.abs(y - 15.5) < 6 ? 1 : 0);
    const sample = draw(64, 32, (x, y) => [square(x, y) * 255, 0, 0, square(x, y)]);
    const quarter: Transform = {
      name: 'quarter',
      p: 1,
      geometric: (_, aspect) => [0, -1 / aspect, 0, aspect, 0, 0],
    };
    const { mask } = await augmentSample(sample, [quarter]);
    const ones = mask.reduce((sum, id) => sum + (id === 1 ? 1 : 0), 0);
    assert.equal(ones, 144); // 12 × 12, as before: no stretch
    assert.equal(mask[16 * 64], 255); // what lies left of the turned picture
    const turned = await augmentSample(sample, [rotate90()]);
    assert.ok(!turned.mask.includes(255)); // by 0 or 180 degrees only
  });
});

describe('perspective', () => {
  it('maps the four corners that it is given to those of the picture', () => {
    const corners = [
      [0.1, 0.2],
      [0.9, 0.05],
      [0.8, 0.95],
      [0.15, 0.7],
    ] as const;
    const curve = fromCorners(corners);
    assert.ok(curve.kind === 'projective');
    const [a, b, c, d, e, f, g, h, k] = curve.matrix as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const ends = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const;
    corners.forEach(([x, y], i) => {
      const w = g * x + h * y + k;
      const [u, v] = [(a * x + b * y + c) / w, (d * x + e * y + f) / w];
      assert.ok(Math.abs(u - ends[i]![0]) < 1e-12 && Math.abs(v - ends[i]![1]) < 1e-12, `${u}, ${v}`);
    });
  });
});

describe('gridDistortion', () => {
  it('keeps the border in place and is monotonic', async () => {
    for (let index = 0; index < 20; index++) {
      const { mask } = await augmentSample(
        draw(60, 4, (x) => [x, 0, 0, x], index),
        [gridDistortion({ p: 1 })],
      );
      const row = [...mask.subarray(0, 60)];
      assert.ok(row[0]! <= 1 && row[59]! >= 58, `${row}`);
      assert.deepEqual(
        row,
        row.toSorted((a, b) => a - b),
      );
    }
  });
});

describe('scaleJitter', () => {
  it('shrinks onto black and 255, and enlarges into a window, image and mask alike', async () => {
    for (let index = 0; index < 40; index++) {
      const ramp = draw(48, 32, (x, y) => [50 + 4 * x, 50 + 4 * y, 1, x + y], index);
      const { image, mask } = await augmentSample(ramp, [scaleJitter()]);
      let shown = 0;
      mask.forEach((id, i) => {
        assert.equal(id === 255, image[3 * i + 2] === 0, 'padding is black and ignored');
        if (id === 255) return;
        shown++;
        const place = (image[3 * i]! - 50 + image[3 * i + 1]! - 50) / 4;
        assert.ok(Math.abs(place - id) < 11, `${place} ${id}`); // a pixel covers up to 10 × 10 at a tenth
      });
      assert.ok(shown >= 5 * 3);
    }
  });

  it('draws its window and its place from all there are', async () => {
    const [lefts, firsts] = [new Set<number>(), new Set<number>()];
    for (let index = 0; index < 60; index++) {
      const ramp = draw(8, 8, (x) => [255, 255, 255, x], index);
      const half = await augmentSample(ramp, [scaleJitter({ scale: [0.5, 0.5] })]);
      lefts.add(half.mask.findIndex((id) => id !== 255) % 8);
      const twice = await augmentSample(ramp, [scaleJitter({ scale: [2, 2] })]);
      firsts.add(twice.mask[0]!);
    }
    assert.deepEqual([...lefts].toSorted(), [0, 1, 2, 3, 4]);
    assert.deepEqual([...firsts].toSorted(), [0, 1, 2, 3, 4]);
  });
});

describe('randomCrop', () => {
  it('moves by whole pixels, and marks what comes from outside', async () => {
    const moves = new Set<string>();
    for (let index = 0; index < 60; index++) {
      const sample = draw(20, 10, (x, y) => [10 + x, 10 + y, 9, x], index);
      const { image, mask } = await augmentSample(sample, [randomCrop({ padding: 0.1 })]);
      const middle = 5 * 20 + 10;
      const [dx, dy] = [image[3 * middle]! - 20, image[3 * middle + 1]! - 15];
      moves.add(`${dx},${dy}`);
      for (let y = 0; y < 10; y++)
        for (let x = 0; x < 20; x++) {
          const [u, v] = [x + dx, y + dy];
          const inside = u >= 0 && u < 20 && v >= 0 && v < 10;
          const at = y * 20 + x;
          assert.equal(mask[at], inside ? u : 255);
          assert.equal(image[3 * at], inside ? 10 + u : 0);
        }
    }
    assert.equal(moves.size, 15); // −2 … 2 by −1 … 1
  });
});

describe('erased regions', () => {
  const sample = draw(40, 30, () => [200, 200, 200, 3], 4);
  it('keep their classes, or are ignored', async () => {
    for (const make of [randomErasing, coarseDropout]) {
      const kept = await augmentSample(sample, [make({ p: 1 })]);
      assert.ok(kept.mask.every((id) => id === 3));
      const ignored = await augmentSample(sample, [make({ p: 1, mask: 'ignore' })]);
      assert.deepEqual(ignored.image, kept.image);
      ignored.mask.forEach((id, i) => {
        if (id === 3) assert.equal(ignored.image[3 * i], 200);
      });
      assert.ok(ignored.mask.includes(255));
      assert.equal(sample.mask.includes(255), false);
    }
  });

  it('are one rectangle of an area between the limits, for randomErasing', async () => {
    for (let index = 0; index < 50; index++) {
      const { mask } = await augmentSample({ ...sample, plan: { ...sample.plan, index } }, [
        randomErasing({ p: 1, mask: 'ignore' }),
      ]);
      const places = [...mask.keys()].filter((i) => mask[i] === 255);
      const [xs, ys] = [places.map((i) => i % 40), places.map((i) => Math.floor(i / 40))];
      const side = (values: number[]) => Math.max(...values) - Math.min(...values) + 1;
      assert.equal(places.length, side(xs) * side(ys));
      // Sides are rounded: half a pixel each.
      assert.ok(places.length >= 0.01 * 1200 && places.length <= 0.37 * 1200, String(places.length));
    }
  });
});

describe('stages', () => {
  it('a joint transform sees what was before it, and what follows begins with its result', async () => {
    const mark = (joint: (id: number) => number): Transform => ({
      name: 'mark',
      p: 1,
      joint: ({ mask }) => mask?.forEach((id, i) => (mask[i] = joint(id))),
    });
    const flip = horizontalFlip({ p: 1 });
    const sample = draw(4, 1, (x) => [x, x, x, x]);
    const once = await augmentSample(sample, [flip, mark((id) => id * 2), flip]);
    assert.deepEqual([...once.mask], [0, 2, 4, 6]);
    const before = await augmentSample(sample, [mark((id) => id + 1), flip, mark((id) => id * 2)]);
    assert.deepEqual([...before.mask], [8, 6, 4, 2]);
    assert.deepEqual(
      [...before.image].filter((_, i) => i % 3 === 0),
      [3, 2, 1, 0],
    );
  });
});

describe('sequential', () => {
  it('applies each by its own p, all or none by its own, from streams of their own', async () => {
    const mark = (channel: number, p: number): Transform => ({
      name: `mark ${channel}`,
      p,
      photometric: ({ image }) => {
        image[channel] = 1;
      },
    });
    const counts = [0, 0, 0, 0];
    for (let index = 0; index < 2000; index++) {
      const { image } = await augmentSample(
        draw(1, 1, () => [0, 0, 0, 0], index),
        [sequential([mark(0, 0.5), mark(1, 0.5)], { p: 0.5 })],
      );
      counts[2 * image[0]! + image[1]!]!++;
    }
    // A quarter of .5 each, and .5 more for none; five standard deviations are at most 110.
    [1250, 250, 250, 250].forEach((expected, k) =>
      assert.ok(Math.abs(counts[k]! - expected) < 110, `${counts}`),
    );
  });

  it('changes no draw of the others when one is added at its end', async () => {
    const sample = twoTone(16, 16, 3);
    const one = await augmentSample(sample, [sequential([rotate({ p: 1 })])]);
    const idle: Transform = { name: 'idle', p: 0, photometric: () => {} };
    const renamed = { ...sequential([rotate({ p: 1 }), idle]), name: sequential([rotate({ p: 1 })]).name };
    assert.deepEqual((await augmentSample(sample, [renamed])).image, one.image);
  });
});

describe('randAugment and trivialAugment', () => {
  const names = new Map<string, number>();
  const drawnBy = (transform: Transform, count: number) => {
    names.clear();
    let seed = 0;
    const random = () => ((seed = (seed * 16807 + 11) % 2147483647) % 1e6) / 1e6;
    for (let i = 0; i < count; i++) {
      if (!('choose' in transform)) throw new Error('expected a choice');
      for (const { name } of [transform.choose(random)].flat()) names.set(name, 1 + (names.get(name) ?? 0));
    }
    return names;
  };

  it('draw from the fourteen operations, as many as they say', () => {
    assert.equal(drawnBy(trivialAugment(), 2000).size, 14);
    assert.equal(
      [...names.values()].reduce((a, b) => a + b),
      2000,
    );
    assert.equal(
      [...drawnBy(randAugment({ operations: 3 }), 500).values()].reduce((a, b) => a + b),
      1500,
    );
  });

  it('move image and mask by one map, at the widest magnitudes', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1e6), async (index) => {
        const sample = twoTone(40, 30, index);
        const { image, mask } = await augmentSample(sample, [trivialAugment()]);
        const moved = mask.some((id, i) => id !== sample.mask[i]);
        if (!moved) return;
        const wrong = mask.filter((id, i) => id !== 255 && Math.abs(image[i * 3]! - id * 255) > 192).length;
        assert.equal(wrong, 0);
      }),
      { numRuns: 100 },
    ));
});
