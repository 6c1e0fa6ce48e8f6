import assert from 'node:assert/strict';
import { randomStream } from '../../../src/random/random-stream.js';
import { pictureCounts, pictureScores } from '../../../src/tasks/segmentation/metrics/picture-counts.js';
import { needsPython } from '../python.js';

/** A picture of blobs: classes by the distance to drawn centres, with noise in the prediction. */
function drawnCase(seed: number) {
  const random = randomStream(seed, 'case');
  const [width, height, classes] = [20 + Math.floor(100 * random()), 20 + Math.floor(100 * random()), 3];
  const centres = Array.from({ length: 5 }, () => [width * random(), height * random()] as const);
  const shift = 6 * random();
  const classAt = (x: number, y: number) => {
    const distances = centres.map(([u, v]) => Math.hypot(x - u, y - v));
    return distances.indexOf(Math.min(...distances)) % classes;
  };
  const places = Array.from(
    { length: width * height },
    (_, i) => [i % width, Math.floor(i / width)] as const,
  );
  const probabilities = places.flatMap(([x, y]) => {
    const k = random() < 0.02 ? Math.floor(classes * random()) : classAt(x + shift, y);
    const most = 0.4 + 0.6 * random();
    return Array.from({ length: classes }, (_, c) =>
      Math.fround(c === k ? most : (1 - most) / (classes - 1)),
    );
  });
  const target = places.map(([x, y]) => classAt(x, y));
  return { width, height, classes, tolerance: Math.floor(4 * random()), probabilities, target };
}

type Twin = Record<'iou' | 'boundaryIou' | 'surfaceDice', (number | null)[]> & { ece: number };

describe('scores at the own resolution', () => {
  it('are those of numpy and scipy', async function () {
    const python = await needsPython(this, 'scoring', ['numpy==2.2.6', 'scipy==1.15.3']);
    const cases = Array.from({ length: 25 }, (_, seed) => drawnCase(seed));
    const twins = await python.json<Twin[]>(new URL('picture_scores_twin.py', import.meta.url), [], cases);
    cases.forEach(({ width, height, probabilities, target, classes, tolerance }, i) => {
      const picture = { width, height, probabilities: Float32Array.from(probabilities) };
      const counts = pictureCounts(picture, Uint8Array.from(target), { classes, tolerance })!;
      const { iou, boundaryIou, surfaceDice, ece } = pictureScores(counts, classes);
      const { ece: expected, ...others } = twins[i]!;
      assert.deepEqual({ iou, boundaryIou, surfaceDice }, others);
      assert.ok(Math.abs(ece - expected) < 1e-6, `${ece}, not ${expected}`);
    });
  });
});
