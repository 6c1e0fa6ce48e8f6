import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CREATURES, FAMILIES, member } from '../../../src/data/creatures/families.js';
import { creatureScene, scene } from '../../../src/data/creatures/scene.js';
import { distance, limb, polygon } from '../../../src/data/creatures/shape.js';
import { STYLES } from '../../../src/data/creatures/styles.js';
import { TRIMAP, trimap } from '../../../src/data/creatures/trimap.js';
import { randomStream } from '../../../src/random/random-stream.js';

const near = (got: number, expected: number) =>
  assert(Math.abs(got - expected) < 1e-12, `${got}, ${expected}`);
const draw = (seed: number) => creatureScene(randomStream(seed), 64, 64);

describe('creatures', () => {
  it('measures distances as geometry does', () => {
    near(distance([limb(0, 0, 1)], 3, 4), 4); // a disc of radius 1, five from its centre
    near(distance([limb(-1, 0, 0.5, 1, 0, 0.5)], 0.3, 2), 1.5); // beside the axis
    near(distance([limb(-1, 0, 0.5, 1, 0, 0.5)], 4, 4), 4.5); // beyond its end: |(3, 4)| − .5
    near(distance([limb(0, 0, 1, 2, 0, 0)], 1, 0), -0.5); // tapered: half the radius half-way
    const square = polygon(-1, -1, 1, -1, 1, 1, -1, 1);
    near(distance([square], 0, 0), -1);
    near(distance([square], 4, 5), 5);
    near(distance([square, limb(3, 0, 0.5)], 2.25, 0), 0.25); // the nearer part counts
    const arrow = polygon(0, 0, 2, -2, 1, 0, 2, 2); // not convex: (1.5, 0) lies in its notch
    assert(distance([arrow], 1.5, 0) > 0 && distance([arrow], 0.5, 0) < 0);
  });

  it('draws every family, no two members alike, within reach of the unit square', () => {
    for (const family of FAMILIES) {
      const [first, second] = [0, 1].map((i) => member(family, randomStream(1, family, i)));
      assert.notDeepEqual(first, second);
      for (let i = 0; i < 50; i++) {
        const shape = member(family, randomStream(2, family, i));
        for (const [x, y] of [
          [0.85, 0.85],
          [-0.85, 0.85],
          [0.85, -0.85],
          [-0.85, -0.85],
        ] as const)
          assert(distance(shape, x, y) > 0, `${family} ${i} leaves the frame`);
      }
    }
  });

  it('shows the family that is asked for, whatever the size', () => {
    for (const [i, family] of FAMILIES.entries()) {
      const { image, labels, width, height } = scene(randomStream(3, family), 72 + i, 64, family);
      assert.deepEqual([width, height, image.length], [72 + i, 64, (72 + i) * 64 * 3]);
      const seen = labels.filter((label) => label === i + 1).length;
      assert(seen > 0.02 * labels.length, `${family}: ${seen} pixels`);
    }
  });

  it('is a function of its random stream', () => {
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1).image, draw(2).image);
  });

  for (const [name, style] of Object.entries(STYLES))
    it(`${name} redraws without touching its input`, () => {
      const { image } = creatureScene(randomStream(4), 64, 48);
      const before = image.slice();
      const drawn = style(image, 64, 48, randomStream(5));
      assert.deepEqual(image, before);
      assert.equal(drawn.length, image.length);
      assert.notDeepEqual(drawn, image);
      assert.deepEqual(style(image, 64, 48, randomStream(5)), drawn);
    });

  it('makes trimaps: border exactly within the radius of the line, the rest as labelled', () => {
    const labels = fc.uint8Array({ minLength: 12 * 9, maxLength: 12 * 9, max: FAMILIES.length });
    fc.assert(
      fc.property(labels, fc.integer({ min: 1, max: 3 }), (drawn, radius) => {
        const map = trimap(drawn, 12, 9, radius);
        const inside = (at: number) => drawn[at]! >= 1 && drawn[at]! <= CREATURES.length;
        for (let at = 0; at < map.length; at++) {
          let nearest = Number.POSITIVE_INFINITY;
          for (let other = 0; other < map.length; other++)
            if (inside(other) !== inside(at))
              nearest = Math.min(
                nearest,
                Math.hypot((other % 12) - (at % 12), Math.floor(other / 12) - Math.floor(at / 12)),
              );
          const expected =
            nearest <= radius ? TRIMAP.border : inside(at) ? TRIMAP.creature : TRIMAP.background;
          assert.equal(map[at], expected);
        }
      }),
      { numRuns: 30 },
    );
  });
});
