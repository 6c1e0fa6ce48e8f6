import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Scalar, setBackend, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../src/engine/value-and-gradients.js';
import { segmentationWeights, weightedLoss, weightsByRule } from '../../src/experiment/class-weights.js';
import type { Loss } from '../../src/model/loss.js';
import { labelCrossEntropy } from '../../src/tasks/classification/losses/label-cross-entropy.js';
import { crossEntropy } from '../../src/tasks/segmentation/losses/cross-entropy.js';
import { focal } from '../../src/tasks/segmentation/losses/focal.js';
import { losses } from '../../src/tasks/segmentation/losses/losses.js';

interface Case {
  readonly logits: number[];
  readonly targets: number[];
  readonly value: number;
  readonly gradient: number[];
}

// Made by ../tasks/segmentation/golden/make_weights.py.
const golden = JSON.parse(
  readFileSync(new URL('../tasks/segmentation/golden/weights.json', import.meta.url), 'utf8'),
) as { weights: number[]; pixels: Case; labels: (Case & { smoothing: number })[] };

describe('--class-weights', () => {
  before(async () => {
    await setBackend('cpu');
  });

  const check = (
    loss: (logits: Tensor, targets: Tensor) => Tensor,
    { logits, targets, value, gradient }: Case,
    shape: number[],
  ) =>
    tidy(() => {
      const x = tensor(logits, shape);
      const t = tensor(targets, shape.slice(0, -1), 'int32');
      const { value: own, gradients } = valueAndGradients(() => loss(x, t) as Scalar, [x]);
      assert.ok(Math.abs(own.dataSync()[0]! - value) < 1e-5, `${own.dataSync()[0]} for ${value}`);
      gradients[0]!
        .dataSync()
        .forEach((g, i) => assert.ok(Math.abs(g - gradient[i]!) < 1e-5, `[${i}] ${g} for ${gradient[i]}`));
    });

  it("weigh cross-entropy as torch's weight does, of pixels and of labels with smoothing", () => {
    const { weights, pixels, labels } = golden;
    check(crossEntropy({ weights }), pixels, [2, 3, 2, 4]);
    check(focal({ gamma: 0, weights }), pixels, [2, 3, 2, 4]);
    for (const { smoothing, ...one } of labels)
      check(labelCrossEntropy({ smoothing, weights }) as unknown as Loss, one, [5, 4]);
  });

  it('that are all 1 change no loss that takes them', () => {
    const { pixels } = golden;
    const value = (loss: Loss) =>
      tidy(
        () =>
          loss(
            tensor(pixels.logits, [2, 3, 2, 4]),
            tensor(pixels.targets, [2, 3, 2], 'int32'),
          ).dataSync()[0]!,
      );
    for (const name of ['cross-entropy', 'focal', 'dice-cross-entropy']) {
      const [plain, weighted] = [losses.make(name), losses.make(name, { weights: [1, 1, 1, 1] })];
      assert.ok(Math.abs(value(plain) - value(weighted)) < 1e-6, name);
    }
  });

  it('by a rule have the mean 1 over the classes that occur, and rarer classes more', () => {
    const counts = [1000, 10, 0, 90].map((count, k) => ({ count, pictures: [10, 1, 0, 10][k]! }));
    const inverse = weightsByRule('inverse', counts);
    assert.equal(inverse[2], 0);
    assert.ok(Math.abs(inverse[1]! / inverse[0]! - 100) < 1e-9);
    assert.ok(Math.abs(inverse.reduce((a, b) => a + b) - 3) < 1e-12);
    // (1 − .999¹⁰) / (1 − .999) = 9.9551 pictures' worth.
    const effective = weightsByRule('effective', counts);
    assert.ok(Math.abs(effective[1]! / effective[0]! - 9.9551) < 1e-4);
    assert.equal(effective[0], effective[3]);
  });

  it('are refused by a loss that does not take them, and in another number than the classes', async () => {
    const make = (name: string) => weightedLoss((options) => losses.make(name, options), name, [1, 2, 3]);
    for (const name of ['log-cosh-dice', 'tversky', 'lovasz-softmax'])
      assert.throws(() => make(name), {
        name: 'UserError',
        message: /^--class-weights: expected a loss that takes weights, .* got /,
      });
    make('focal');
    await assert.rejects(
      segmentationWeights(
        { maskIds: [0, 1], classWeights: [1, 2, 3] },
        { train: [], validation: [], test: [] },
      ),
      /--class-weights: expected a number for each of the classes 0,1, one above 0, got 1,2,3/,
    );
  });
});
