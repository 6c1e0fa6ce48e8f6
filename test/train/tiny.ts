import type { Tensor } from '@tensorflow/tfjs-core';
import {
  add,
  keep,
  matMul,
  mean,
  mul,
  reshape,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tensor3d,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { Batch } from '../../src/data/batch.js';
import { batchPlans } from '../../src/data/batch-plans.js';
import type { BatchPlan, Pair } from '../../src/data/types.js';
import type { Model } from '../../src/model/model.js';
import { Parameters } from '../../src/model/parameters.js';
import { randomStream } from '../../src/random/random-stream.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { segmentationMetrics } from '../../src/tasks/segmentation/metrics/segmentation-metrics.js';
import type { SegmentationScores } from '../../src/tasks/segmentation/metrics/segmentation-scores.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Run } from '../../src/train/run.js';
import type { RunOptions } from '../../src/train/run-options.js';

/** Pictures are SIZE × SIZE. */
export const SIZE = 4;
export const CLASSES = 3;

/**
 * The smallest model with all that a checkpoint must bring back: a frozen weight, an adapter, a head, dropout that
 * takes chance, and a buffer that the training pass moves and reads.
 */
export function tinyModel(): Model {
  const random = randomStream(7, 'tiny');
  const uniform = (...shape: number[]) =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() - 0.5),
      shape,
    );
  const parameters = new Parameters();
  parameters.add({ name: 'base', group: 'backbone', trainable: false, value: uniform(3, 5) });
  parameters.add({ name: 'a', group: 'adapter', trainable: true, value: uniform(3, 2) });
  parameters.add({ name: 'b', group: 'adapter', trainable: true, value: uniform(2, 5) });
  parameters.add({ name: 'head', group: 'head', trainable: true, value: uniform(5, CLASSES) });
  parameters.add({ name: 'bias', group: 'head', trainable: true, value: uniform(CLASSES) });
  parameters.add({ name: 'center', group: 'head', trainable: false, buffer: true, value: uniform(CLASSES) });
  return {
    parameters,
    forward(images, pass) {
      const rows = reshape(images, [images.size / 3, 3]);
      const get = (name: string) => parameters.get(name);
      let hidden = add(matMul(rows, get('base')), matMul(matMul(rows, get('a')), get('b')));
      if (pass?.random) {
        const { random } = pass;
        hidden = mul(hidden, tensor(Float32Array.from({ length: 5 }, () => (random() < 0.8 ? 1.25 : 0))));
      }
      const logits = add(add(matMul(hidden, get('head')), get('bias')), get('center'));
      if (pass?.random)
        parameters.set('center', keep(tidy(() => add(mul(0.9, get('center')), mul(0.1, mean(logits, 0))))));
      return reshape(logits, [images.shape[0]!, SIZE, SIZE, CLASSES]);
    },
    dispose: () => parameters.dispose(),
  };
}

/** Pictures that exist only as their index. */
export function tinyPairs(count: number): Pair[] {
  return Array.from({ length: count }, (_, i) => ({ stem: `${i}`, image: `${i}`, mask: `${i}` }));
}

/** Plans over pictures that exist only as their index. */
export function tinyPlans(options: {
  count?: number;
  epochs?: number;
  batchSize?: number;
  seed?: number;
  from?: number;
}): BatchPlan[] {
  const { count = 5, epochs = 2, batchSize = 2, seed = 42, from = 0 } = options;
  return [...batchPlans(tinyPairs(count), { epochs, batchSize, seed, from })];
}

/** The batch of a plan: pictures are noise, masks follow from them, one pixel is ignored. */
export function tinyBatch(plan: BatchPlan): Batch<Tensor4D, Tensor3D> {
  const n = plan.samples.length;
  const pixels: number[] = [];
  const classes: number[] = [];
  for (const { index } of plan.samples) {
    const random = randomStream(3, 'pixels', index);
    for (let i = 0; i < SIZE * SIZE; i++) {
      const rgb = [random(), random(), random()];
      pixels.push(...rgb);
      classes.push(i === 0 ? 255 : rgb.indexOf(Math.max(...rgb)));
    }
  }
  const images = tensor4d(pixels, [n, SIZE, SIZE, 3]);
  const masks = tensor3d(classes, [n, SIZE, SIZE], 'int32');
  return {
    plan,
    inputs: images,
    targets: masks,
    dispose() {
      images.dispose();
      masks.dispose();
    },
  };
}

export type TinyRun = Run<Tensor, Tensor, Tensor, SegmentationScores>;

/** A run of the tiny model; what a test does not say has a default. */
export function tinyRun(
  options: Partial<RunOptions<Tensor, Tensor, Tensor, SegmentationScores>> = {},
): TinyRun {
  const { model = tinyModel(), loss = logCoshDice() } = options;
  return new Run({
    model,
    loss,
    metrics: segmentationMetrics({ classes: CLASSES, loss }),
    metric: 'softDice',
    optimizer: adamW(),
    learningRate: 0.05,
    seed: 42,
    epochs: 3,
    batchSize: 2,
    classes: ['a', 'b', 'c'],
    ...options,
  });
}

/** Frees a run and its model. */
export function free(run: Pick<Run, 'dispose'> & { readonly model: Pick<Model, 'dispose'> }): void {
  run.dispose();
  run.model.dispose();
}
