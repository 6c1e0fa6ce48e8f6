import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { labelCrossEntropy } from '../../../src/tasks/classification/losses/label-cross-entropy.js';
import { classificationMetrics } from '../../../src/tasks/classification/metrics/classification-metrics.js';

const near = (got: number, wanted: number, within = 1e-5) =>
  assert.ok(Math.abs(got - wanted) <= within, `${got} is not ${wanted}`);

describe('labelCrossEntropy', () => {
  // Logits log 1, log 2, log 5 of one picture: probabilities 1/8, 2/8, 5/8.
  const logits = [0, Math.log(2), Math.log(5)];
  const of = (label: number, smoothing: number, row = logits) =>
    tidy(() => labelCrossEntropy({ smoothing })(tensor2d([row]), tensor1d([label], 'int32')).dataSync()[0]!);

  it('is −log of the probability of the label', () => near(of(2, 0), Math.log(8 / 5)));

  it('gives a share of the target to all classes alike', () =>
    // 0.7·log(8/5) + 0.3·(log 8 + log 4 + log(8/5))/3
    near(of(2, 0.3), 0.7 * Math.log(8 / 5) + 0.1 * (Math.log(8) + Math.log(4) + Math.log(8 / 5))));

  it('has the gradient of central differences', () => {
    const [gradient] = tidy(() => {
      const x = tensor2d([logits]);
      const labels = tensor1d([1], 'int32');
      const { gradients } = valueAndGradients(() => labelCrossEntropy({ smoothing: 0.2 })(x, labels), [x]);
      return gradients.map((each) => [...each!.dataSync()]);
    });
    const step = 0.05;
    const moved = (i: number, by: number) => logits.map((value, k) => (k === i ? value + by : value));
    gradient!.forEach((value, i) =>
      near(value, (of(1, 0.2, moved(i, step)) - of(1, 0.2, moved(i, -step))) / (2 * step), 1e-3),
    );
  });

  it('takes shares: the mean of the losses of the labels, weighted by them, and its gradient', () => {
    const shares = [0.2, 0, 0.8];
    const soft = (row: number[]) =>
      tidy(() => labelCrossEntropy({ smoothing: 0.1 })(tensor2d([row]), tensor2d([shares])).dataSync()[0]!);
    near(soft(logits), 0.2 * of(0, 0.1) + 0.8 * of(2, 0.1));
    const [gradient] = tidy(() => {
      const x = tensor2d([logits]);
      const targets = tensor2d([shares]);
      const { gradients } = valueAndGradients(() => labelCrossEntropy({ smoothing: 0.1 })(x, targets), [x]);
      return gradients.map((each) => [...each!.dataSync()]);
    });
    // softmax − target, where the target is .9 of the shares and .1 spread evenly
    [1 / 8, 2 / 8, 5 / 8].forEach((p, i) => near(gradient![i]!, p - 0.9 * shares[i]! - 0.1 / 3));
    assert.throws(
      () => tidy(() => labelCrossEntropy()(tensor2d([logits]), tensor2d([[1, 0]]))),
      /labels: expected shares of 3 classes, got \[1,2\]/,
    );
  });

  it('stays finite for huge logits', () => near(of(0, 0, [1000, 0, 0]), 0));

  it('refuses a label that the model does not have, and a smoothing of 1', () => {
    assert.throws(() => of(3, 0), /labels: expected the classes 0 to 2 of the model, got 3/);
    assert.throws(() => labelCrossEntropy({ smoothing: 1 }), /a share from 0 to below 1, got 1/);
  });
});

describe('classificationMetrics', () => {
  it('counts over batches, and weighs their losses by their pictures', async () => {
    const all = classificationMetrics({ classes: 3, loss: labelCrossEntropy(), k: 2 })();
    const add = async (rows: number[][], labels: number[]) => {
      const [logits, targets] = [tensor2d(rows), tensor1d(labels, 'int32')];
      await all.add(logits, targets);
      logits.dispose();
      targets.dispose();
    };
    // Right; predicted 0 where it is 1, which is second. Then predicted 0 where it is 2, which is last.
    await add(
      [
        [3, 1, 0],
        [3, 2, 0],
      ],
      [0, 1],
    );
    await add([[2, 1, 0]], [2]);
    const { loss, accuracy, topK, f1, confusion } = all.scores();
    near(accuracy, 1 / 3);
    near(topK, 2 / 3);
    assert.deepEqual(confusion, [
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    // Class 0: 2·1 / (2·1 + 2 + 0); nothing is ever predicted as 1 or 2.
    assert.deepEqual(f1, [0.5, 0, 0]);
    const entropy = (row: number[], label: number) =>
      Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label]!;
    near(loss, (entropy([3, 1, 0], 0) + entropy([3, 2, 0], 1) + entropy([2, 1, 0], 2)) / 3);
  });

  it('counts a class of the id 255 as any other', async () => {
    const all = classificationMetrics({ classes: 256, loss: labelCrossEntropy() })();
    const [logits, labels] = [tensor2d([Array.from({ length: 256 }, (_, i) => i)]), tensor1d([255], 'int32')];
    await all.add(logits, labels);
    assert.equal(all.scores().accuracy, 1);
    logits.dispose();
    labels.dispose();
  });

  it('gives what scikit-learn does', async () => {
    const golden = JSON.parse(
      readFileSync(join(import.meta.dirname, 'golden', 'scikit-learn.json'), 'utf8'),
    ) as Record<'loss' | 'smoothed' | 'accuracy' | 'topK', number> & {
      logits: number[][];
      labels: number[];
      f1: number[];
      confusion: number[][];
    };
    const [logits, labels] = [tensor2d(golden.logits), tensor1d(golden.labels, 'int32')];
    const all = classificationMetrics({ classes: 5, loss: labelCrossEntropy(), k: 2 })();
    await all.add(logits, labels);
    const scores = all.scores();
    for (const name of ['loss', 'accuracy', 'topK'] as const) near(scores[name], golden[name]);
    scores.f1.forEach((value, c) => near(value!, golden.f1[c]!));
    assert.deepEqual(scores.confusion, golden.confusion);
    near(
      tidy(() => labelCrossEntropy({ smoothing: 0.1 })(logits, labels).dataSync()[0]!),
      golden.smoothed,
    );
    logits.dispose();
    labels.dispose();
  });
});
