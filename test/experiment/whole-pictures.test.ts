import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { image, reverse, softmax, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { lastValueFrom, toArray } from 'rxjs';
import { readImage } from '../../src/data/images/image-file.js';
import { type ImageSize } from '../../src/data/images/image-size.js';
import { resizeBilinear } from '../../src/data/pixels/resize.js';
import type { SegmentationRun } from '../../src/experiment/run-settings.js';
import { loadTrained, type TrainedRun, trainedRuns } from '../../src/experiment/trained-runs.js';
import { type WholePictureOptions, wholePictures } from '../../src/experiment/whole-pictures.js';
import { loadSample } from '../../src/tasks/segmentation/load-sample.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import type { Segmenter } from '../../src/tasks/segmentation/segmenter.js';
import { plain, tinyBackbone, untrained } from '../recipes/trained.js';

describe('wholePictures', () => {
  let dir: string;
  let run: TrainedRun<SegmentationRun>;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    await untrained(join(dir, 'models'), await tinyBackbone(join(dir, 'backbone')));
    run = (await trainedRuns(join(dir, 'models')))[0] as typeof run;
  });
  after(() => rmSync(dir, { recursive: true }));

  /** The probabilities of the first picture, and those of tfjs's own resizing of the logits of views. */
  async function both(
    options: Omit<WholePictureOptions, 'batchSize'>,
    views: readonly { readonly side: number; readonly flip?: true }[],
  ) {
    const model = (await loadTrained(run)) as Segmenter;
    try {
      const [pair] = await findPairs(join(plain, 'images'), join(plain, 'masks'));
      const [picture] = await lastValueFrom(
        wholePictures([pair!], model, run, { batchSize: 4, ...options }).pipe(toArray()),
      );
      const pixels = await readImage(pair!.image as string);
      const { mean, std } = model.normalization;
      const expected = tidy(() => {
        const seen = views.map(({ side, flip }) => {
          const { data } = resizeBilinear(pixels, side, side);
          const values = Float32Array.from(data, (v, i) => (v / 255 - mean[i % 3]!) / std[i % 3]!);
          const input = tensor4d(values, [1, side, side, 3]);
          const turned = (x: Tensor4D) => (flip ? reverse(x, 2) : x);
          const logits = turned(model.forward(turned(input)) as Tensor4D);
          return softmax(image.resizeBilinear(logits, [pixels.height, pixels.width], false, true));
        });
        return seen
          .reduce((a, b) => a.add(b))
          .div(views.length)
          .dataSync() as Float32Array;
      });
      return { got: picture!.probabilities, expected, pixels: pixels.width * pixels.height };
    } finally {
      model.dispose();
    }
  }

  const cases: readonly (readonly [string, ...Parameters<typeof both>])[] = [
    ['logits interpolated to the size of the picture', {}, [{ side: 16 }]],
    ['the picture and its mirror image', { ttaFlip: true }, [{ side: 16 }, { side: 16, flip: true }]],
    [
      'scales, and each mirrored',
      { ttaFlip: true, ttaScales: [0.75, 1, 1.5] },
      [12, 16, 24].flatMap((side) => [{ side }, { side, flip: true as const }]),
    ],
  ];
  for (const [what, options, views] of cases)
    it(`averages the probabilities of ${what}`, async () => {
      const { got, expected, pixels } = await both(options, views);
      assert.equal(got.length, 3 * pixels);
      got.forEach((p, i) => assert.ok(Math.abs(p - expected[i]!) < 1e-5, `${i}: ${p}, not ${expected[i]}`));
    });

  it('averages probabilities over the pixels of another size, and resizes masks to the nearest', async () => {
    const model = (await loadTrained(run)) as Segmenter;
    try {
      const pairs = await findPairs(join(plain, 'images'), join(plain, 'masks'));
      const look = async (size?: ImageSize) =>
        (
          await lastValueFrom(
            wholePictures(pairs.slice(0, 1), model, run, { batchSize: 4, size }).pipe(toArray()),
          )
        )[0]!;
      const own = await look();
      const small = await look({ width: own.width / 2, height: own.height / 4 });
      assert.deepEqual([small.width, small.height], [own.width / 2, own.height / 4]);
      const plan = { item: pairs[0]!, seed: 0, epoch: 1, index: 0 };
      const { mask } = await loadSample(plan, { width: small.width, height: small.height });
      assert.deepEqual(small.classes, mask);
      for (const [x, y, k] of [
        [0, 0, 0],
        [3, 2, 1],
        [small.width - 1, small.height - 1, 2],
      ] as const) {
        let sum = 0;
        for (let v = 0; v < 4; v++)
          for (let u = 0; u < 2; u++)
            sum += own.probabilities[((4 * y + v) * own.width + 2 * x + u) * 3 + k]!;
        assert.ok(Math.abs(small.probabilities[(y * small.width + x) * 3 + k]! - sum / 8) < 1e-6);
      }
    } finally {
      model.dispose();
    }
  });

  it('slides a window over the picture: one of its size is the picture, smaller ones say something else', async () => {
    const size = await readImage((await findPairs(join(plain, 'images'), join(plain, 'masks')))[0]!.image);
    const { got, expected } = await both({ tiles: { width: size.width, height: size.height } }, [
      { side: 16 },
    ]);
    got.forEach((p, i) => assert.ok(Math.abs(p - expected[i]!) < 1e-5));
    const windows = await both({ tiles: Math.round(size.width / 2), tileOverlap: 0.5 }, [{ side: 16 }]);
    assert.ok(windows.got.some((p, i) => Math.abs(p - windows.expected[i]!) > 1e-3));
    for (let i = 0; i < windows.got.length; i += 3)
      assert.ok(Math.abs(windows.got[i]! + windows.got[i + 1]! + windows.got[i + 2]! - 1) < 1e-5);
  });
});
