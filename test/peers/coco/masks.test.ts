import assert from 'node:assert/strict';
import type { Python } from '../../../bench/peers/python.js';
import { drawn, type Shape } from '../../../src/data/outlines/outlines.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { needsPython } from '../python.js';

const CASES = 600;

/** Polygons inside and outside the picture, with whole, half and other coordinates, and points that fall together. */
function polygonsOf(random: () => number, width: number, height: number): number[][] {
  const grid = [1, 2, 5, 1000][Math.floor(random() * 4)]!;
  const coordinate = (size: number) => Math.round((random() * 1.4 - 0.2) * size * grid) / grid;
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
    const points = Array.from({ length: 3 + Math.floor(random() * 8) }, () => [
      coordinate(width),
      coordinate(height),
    ]);
    if (random() < 0.3) points.push(points.at(-1)!);
    return points.flat();
  });
}

describe('masks of shapes, against pycocotools', () => {
  let python: Python;
  before(async function () {
    python = await needsPython(this, 'coco', ['pycocotools==2.0.10']);
  });

  it(`are the same bits for ${CASES} random sets of polygons`, async () => {
    const cases = Array.from({ length: CASES }, (_, i) => {
      const random = randomStream(1, 'polygons', i);
      const [width, height] = [1 + Math.floor(random() * 40), 1 + Math.floor(random() * 40)];
      return { width, height, segmentation: polygonsOf(random, width, height) };
    });
    await compare(cases, ({ segmentation }) => ({ id: 1, polygons: segmentation }));
  });

  it('are the same bits for run lengths, as numbers and as text', async () => {
    const cases = Array.from({ length: CASES }, (_, i) => {
      const random = randomStream(1, 'runs', i);
      const [width, height] = [1 + Math.floor(random() * 60), 1 + Math.floor(random() * 60)];
      const counts: number[] = [];
      for (let left = width * height; left > 0; left -= counts.at(-1)!)
        counts.push(Math.min(left, Math.floor(random() ** 4 * 400) + (counts.length > 0 ? 1 : 0)));
      return { width, height, segmentation: { counts, size: [height, width] as [number, number] } };
    });
    const expected = await compare(cases, ({ segmentation }) => ({ id: 1, runs: segmentation.counts }));
    const texts = cases.map((one, i) => ({
      ...one,
      segmentation: { ...one.segmentation, counts: expected[i]!.text },
    }));
    await compare(texts, ({ segmentation }) => ({ id: 1, runs: segmentation.counts }));
  });

  async function compare<S>(
    cases: readonly { readonly width: number; readonly height: number; readonly segmentation: S }[],
    shape: (one: { readonly segmentation: S }) => Shape,
  ): Promise<{ bits: string; text: string }[]> {
    const script = new URL('masks_twin.py', import.meta.url);
    const expected = await python.json<{ bits: string; text: string }[]>(script, [], cases);
    let covered = 0;
    cases.forEach((one, i) => {
      const bits = drawn({ kind: 'outlines', ...one, shapes: [shape(one)], name: `case ${i}` });
      assert.equal(bits.join(''), expected[i]!.bits, JSON.stringify(one));
      covered += bits.filter((bit) => bit === 1).length;
    });
    assert.ok(covered > 1000);
    return expected;
  }
});
