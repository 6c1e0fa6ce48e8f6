import assert from 'node:assert/strict';
import { distanceTransform } from '../../src/numeric/distance-transform.js';
import { randomStream } from '../../src/random/random-stream.js';

/** The definition: the least distance to a set pixel. */
function byDefinition(set: Uint8Array, width: number, height: number): number[] {
  const places = Array.from(
    { length: width * height },
    (_, i) => [i % width, Math.floor(i / width)] as const,
  );
  const ones = places.filter((_, i) => set[i] === 1);
  return places.map(([x, y]) =>
    ones.reduce((best, [a, b]) => Math.min(best, Math.hypot(x - a, y - b)), Number.POSITIVE_INFINITY),
  );
}

describe('distanceTransform', () => {
  for (const [width, height, share] of [
    [17, 11, 0.03],
    [11, 17, 0.3],
    [8, 8, 0.9],
    [1, 9, 0.2],
    [9, 1, 0.2],
  ] as const)
    it(`is the least distance, ${width} × ${height}, ${share} set`, () => {
      const random = randomStream(1, 'distances', width, height);
      const set = Uint8Array.from({ length: width * height }, () => (random() < share ? 1 : 0));
      const expected = byDefinition(set, width, height);
      distanceTransform(set, width, height).forEach((got, i) => {
        assert.ok(
          got === expected[i] || Math.abs(got - expected[i]!) < 1e-12,
          `${i}: ${got}, ${expected[i]}`,
        );
      });
    });

  it('is Infinity where nothing is set, and 0 where all is', () => {
    assert.deepEqual(
      [...distanceTransform(new Uint8Array(6), 3, 2)],
      Array.from({ length: 6 }, () => Infinity),
    );
    assert.deepEqual([...distanceTransform(new Uint8Array(6).fill(1), 3, 2)], [0, 0, 0, 0, 0, 0]);
  });
});
