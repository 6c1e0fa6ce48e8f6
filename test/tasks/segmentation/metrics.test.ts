import assert from 'node:assert/strict';
import '../../../src/tasks/segmentation/metrics/metric.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { readMask } from '../../../src/data/images/image-file.js';
import { improves, metricOf } from '../../../src/events/metric.js';
import { ConfusionMatrix } from '../../../src/tasks/confusion-matrix.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { segmentationMetrics } from '../../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import { needsSharedData } from '../../shared-data.js';

interface HardScores {
  readonly dice: (number | null)[];
  readonly iou: (number | null)[];
  readonly miou: number;
  readonly accuracy: number;
}

describe('ConfusionMatrix', () => {
  it('scores the pictures of the study as numpy counts them', async function () {
    const root = needsSharedData(this, 'seed_pets_styled_ood');
    // Made by golden/make_pictures.py.
    const golden = JSON.parse(
      readFileSync(new URL('golden/pictures.json', import.meta.url), 'utf8'),
    ) as Record<string, HardScores>;
    const ids = new Map([
      [0, 0],
      [128, 1],
      [255, 2],
    ]);
    const read = async (path: string) =>
      Array.from((await readMask(join(root, path))).data, (grey) => ids.get(grey)!);
    const all = new ConfusionMatrix(3);
    const { all: overall, ...files } = golden;
    assert.equal(Object.keys(files).length, 36);
    for (const [file, expected] of Object.entries(files)) {
      const target = await read(file.replace(/_pred_\w+\.png/, '_target.png'));
      const prediction = await read(file);
      all.add(target, prediction);
      assertScores(new ConfusionMatrix(3).add(target, prediction), expected, file);
    }
    assertScores(all, overall!, 'all');
  });

  it('ignores ignored pixels, and leaves absent classes out of the mean', () => {
    const matrix = new ConfusionMatrix(3).add([0, 0, 1, 255], [0, 1, 1, 2]);
    assert.deepEqual(matrix.counts, [
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]);
    assert.deepEqual(matrix.dice, [2 / 3, 2 / 3, null]);
    assert.deepEqual(matrix.iou, [0.5, 0.5, null]);
    assert.equal(matrix.miou, 0.5);
    assert.equal(matrix.accuracy, 2 / 3);
  });

  it('scores 0 where nothing was counted', () => {
    const matrix = new ConfusionMatrix(2).add([255], [1]);
    assert.deepEqual([matrix.miou, matrix.accuracy, matrix.dice], [0, 0, [null, null]]);
  });

  it('does not depend on how pixels are batched; dice = 2·iou/(1 + iou)', () => {
    const pixel = fc.tuple(fc.constantFrom(0, 1, 2, 255), fc.integer({ min: 0, max: 2 }));
    fc.assert(
      fc.property(fc.array(pixel, { minLength: 1, maxLength: 50 }), fc.nat(50), (pixels, cut) => {
        const add = (matrix: ConfusionMatrix, part: typeof pixels) =>
          matrix.add(
            part.map(([t]) => t),
            part.map(([, p]) => p),
          );
        const whole = add(new ConfusionMatrix(3), pixels);
        const parts = add(add(new ConfusionMatrix(3), pixels.slice(0, cut)), pixels.slice(cut));
        assert.deepEqual(whole.counts, parts.counts);
        whole.iou.forEach((iou, c) => {
          const dice = whole.dice[c] ?? null;
          if (iou === null || dice === null) assert.equal(iou, dice);
          else assert.ok(Math.abs(dice - (2 * iou) / (1 + iou)) < 1e-12);
        });
      }),
    );
  });

  it('refuses a class that it does not know', () => {
    assert.throws(() => new ConfusionMatrix(2).add([2], [0]), /class 2 of 2/);
    assert.throws(() => new ConfusionMatrix(2).add([0], [3]), /class 3 of 2/);
  });
});

describe('segmentationMetrics', () => {
  it('weighs batch means by images, and counts hard scores over all', async () => {
    const metrics = segmentationMetrics({ classes: 2, loss: crossEntropy() })();
    // One image all right with loss log(1 + e^-2), then two at chance with loss log 2, predicted as class 0.
    const right = [tensor4d([2, 0, 0, 2], [1, 1, 2, 2]), tensor3d([0, 1], [1, 1, 2], 'int32')] as const;
    const chance = [tensor4d([0, 0, 0, 0], [2, 1, 1, 2]), tensor3d([1, 1], [2, 1, 1], 'int32')] as const;
    await metrics.add(...right);
    await metrics.add(...chance);
    for (const tensor of [...right, ...chance]) tensor.dispose();
    const { loss, dice, accuracy, confusion, softDice } = metrics.scores();
    const p = 1 / (1 + Math.exp(-2));
    assert.ok(Math.abs(loss - (-Math.log(p) + 2 * Math.LN2) / 3) < 1e-6);
    // Soft Dice: p in the first; 2·½·2/(1 + 2) = ⅔ for class 1, the only one of the second.
    assert.ok(Math.abs(softDice - (p + 2 * (2 / 3)) / 3) < 1e-5, String(softDice));
    assert.deepEqual(confusion, [
      [1, 0],
      [2, 1],
    ]);
    assert.equal(accuracy, 0.5);
    assert.deepEqual(dice, [0.5, 0.5]);
  });
});

describe('metrics', () => {
  it('improve by more than minDelta, in their direction; NaN never does', () => {
    assert.equal(improves(2, 1, 'max'), true);
    assert.equal(improves(1, 1, 'max'), false);
    assert.equal(improves(1.05, 1, 'max', 0.1), false);
    assert.equal(improves(0.8, 1, 'min', 0.1), true);
    assert.equal(improves(0, null, 'max'), true);
    assert.equal(improves(Number.NaN, null, 'max'), false);
  });

  it('mean per-class scores, and refuse other names', () => {
    assert.equal(metricOf({ dice: [0.5, null, 1] } as never, 'dice'), 0.75);
    assert.throws(() => metricOf({} as never, 'f1' as never), /metric: expected one of .* got "f1"/);
  });
});

function assertScores(matrix: ConfusionMatrix, expected: HardScores, what: string): void {
  for (const key of ['dice', 'iou', 'miou', 'accuracy'] as const) {
    const [ours, theirs] = [[matrix[key]].flat(), [expected[key]].flat()];
    ours.forEach((value, i) => {
      assert.ok(Math.abs(value! - theirs[i]!) < 1e-12, `${what} ${key}[${i}]: ${value}, numpy ${theirs[i]}`);
    });
  }
}
