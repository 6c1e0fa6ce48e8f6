import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor1D, type Tensor4D, tensor1d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { lastValueFrom, of, toArray } from 'rxjs';
import { concatLease } from '../../../operators/concat-lease.js';
import { earlyStop } from '../../../operators/early-stop.js';
import { prefetch } from '../../../operators/prefetch.js';
import { trainStep } from '../../../operators/train-step.js';
import { validate } from '../../../operators/validate.js';
import { adapters } from '../../../src/adapters/adapters.js';
import { loadPeft } from '../../../src/adapters/peft/load-peft.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import type { Batch } from '../../../src/data/batch.js';
import { batchPlans } from '../../../src/data/batch-plans.js';
import type { BatchPlan } from '../../../src/data/types.js';
import { backboneShapes } from '../../../src/model/vit/backbone-shapes.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { toTorchLayout } from '../../../src/model/vit/layout.js';
import type { Pretrained } from '../../../src/model/vit/pretrained-of.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { classifierOf, createClassifier } from '../../../src/tasks/classification/classifier.js';
import type { LabelledImage } from '../../../src/tasks/classification/labelled-image.js';
import { labelCrossEntropy } from '../../../src/tasks/classification/losses/label-cross-entropy.js';
import { classificationMetrics } from '../../../src/tasks/classification/metrics/classification-metrics.js';
import { adamW } from '../../../src/train/optimizers/adam.js';
import { Run } from '../../../src/train/run.js';

const SIDE = 8;
const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: SIDE,
  patch_size: 4,
});

const items: LabelledImage[] = Array.from({ length: 12 }, (_, i) => ({
  stem: `${i}`,
  image: `${i}.png`,
  label: i % 3,
  className: 'abc'[i % 3]!,
}));

/** Noise in which the label's channel is bright. */
function batchOf(plan: BatchPlan<LabelledImage>): Batch<Tensor4D, Tensor1D> {
  const pixels = plan.samples.flatMap(({ item, index }) => {
    const random = randomStream(2, 'classifier test', index);
    return Array.from({ length: SIDE * SIDE * 3 }, (_, k) => random() + (k % 3 === item.label ? 1 : 0));
  });
  const inputs = tensor4d(pixels, [plan.samples.length, SIDE, SIDE, 3]);
  const targets = tensor1d(
    plan.samples.map(({ item }) => item.label),
    'int32',
  );
  return { plan, inputs, targets, dispose: () => [inputs, targets].forEach((each) => each.dispose()) };
}

const inOrder = () =>
  prefetch(batchPlans(items, { batchSize: 4, seed: 1, shuffle: false }), (plan) => of(batchOf(plan)), {
    ahead: 1,
  });

const logitsOf = (model: ReturnType<typeof createClassifier>) => {
  const [plan] = batchPlans(items, { batchSize: 4, seed: 1, shuffle: false });
  const { inputs, dispose } = batchOf(plan!);
  const values = tidy(() => [...model.forward(inputs).dataSync()]);
  dispose();
  return values;
};

/** What a folder of transformers would hold: random weights, with a classifier of so many classes. */
function pretrained(classes?: number): Pretrained {
  const random = randomStream(3, 'pretrained classifier');
  const stored = (shape: readonly number[]) => ({
    dtype: 'F32' as const,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
  });
  const weights = new Map([...backboneShapes(config)].map(([name, shape]) => [name, stored(shape)]));
  if (classes !== undefined) {
    weights.set('classifier.weight', stored([classes, 12]));
    weights.set('classifier.bias', stored([classes]));
  }
  return { path: 'model.safetensors', config, weights } as unknown as Pretrained;
}

describe('Classifier', () => {
  it('keeps the classifier of a checkpoint, or starts a new one', () => {
    const source = pretrained(3);
    const kept = classifierOf(source, { classes: 3, head: 'keep', seed: 1 });
    const weight = kept.parameters.get('head.weight').dataSync() as Float32Array;
    assert.deepEqual(
      [...toTorchLayout(weight, [3, 12])],
      [...(source.weights.get('classifier.weight')!.data as Float32Array)],
    );
    assert.deepEqual(
      kept.parameters.trainable().map(({ name }) => name),
      ['head.weight', 'head.bias'],
    );
    const fresh = classifierOf(source, { classes: 3, seed: 1 });
    assert.notDeepEqual(logitsOf(fresh), logitsOf(kept));
    kept.dispose();
    fresh.dispose();
  });

  it('refuses to keep a classifier of other classes, or none, and frees what it had built', () => {
    const keep = (source: Pretrained) => () => classifierOf(source, { classes: 3, head: 'keep', seed: 1 });
    assert.throws(
      keep(pretrained(4)),
      /expected a classifier of 3 classes to keep, got one of 4; .*--head new/,
    );
    assert.throws(keep(pretrained()), /expected a classifier of 3 classes to keep, got none/);
  });

  it('shares its backbone with a sibling of other classes', () => {
    const first = createClassifier(config, { classes: 3, seed: 1 });
    const second = first.sibling({ classes: 5, seed: 1 });
    assert.equal(logitsOf(second).length, 4 * 5);
    first.dispose();
    assert.equal(logitsOf(second).length, 4 * 5);
    second.dispose();
  });

  for (const [name, settings] of [
    ['lora', { rank: 2 }],
    ['serial_lora', { rank: 2 }],
    ['localized_lora', { blocks: 2, blockRank: 2 }],
    ['dora', { rank: 2 }],
  ] as const)
    it(`learns with ${name}, is validated and stopped by its own metrics, and merges`, async () => {
      const model = createClassifier(config, { classes: 3, seed: 1 }).inject(
        adapters.make(name, settings),
        1,
      );
      const before = logitsOf(model);
      const loss = labelCrossEntropy({ smoothing: 0.05 });
      const run = new Run({
        model,
        loss,
        optimizer: adamW(),
        learningRate: 0.05,
        seed: 1,
        epochs: 12,
        batchSize: 4,
        classes: ['a', 'b', 'c'],
        metrics: classificationMetrics({ classes: 3, loss, k: 2 }),
        metric: 'accuracy',
      });
      const leases$ = prefetch(run.plans(items), (plan) => of(batchOf(plan)), { ahead: 1 });
      const events = await lastValueFrom(
        leases$.pipe(
          concatLease((batch$) => batch$.pipe(trainStep(run), validate(run, inOrder))),
          earlyStop(run, { patience: 6 }),
          toArray(),
        ),
      );
      const scores = events.filter((event) => event.type === 'validation').map((event) => event.scores);
      assert.ok(Math.max(...scores.map(({ accuracy }) => accuracy)) === 1, JSON.stringify(scores.at(-1)));
      assert.ok(scores.every(({ accuracy, topK }) => topK >= accuracy));
      const trained = logitsOf(model);
      assert.notDeepEqual(trained, before);
      model.merge();
      logitsOf(model).forEach((value, i) => assert.ok(Math.abs(value - trained[i]!) < 1e-3));
      run.dispose();
      model.dispose();
    });

  it('keeps its adapter and its head in the files of PEFT', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-classifier-'));
    const model = createClassifier(config, { classes: 3, seed: 1 }).inject(
      adapters.make('lora', { rank: 2 }),
      5,
    );
    await savePeft(model, join(dir, 'lora'));
    const other = createClassifier(config, { classes: 3, seed: 1 });
    other.parameters.set('head.bias', tensor1d([1, 2, 3]));
    await loadPeft(other, join(dir, 'lora'));
    assert.deepEqual(logitsOf(other), logitsOf(model));
    model.dispose();
    other.dispose();
    rmSync(dir, { recursive: true });
  });
});
