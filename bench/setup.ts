import { tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import type { Batch } from '../src/data/batch.js';
import type { Size } from '../src/data/images/image-size.js';
import { type Engine, type EngineName, useEngine } from '../src/engine/engine.js';
import type { Precision } from '../src/engine/numbers/precision.js';
import type { Loss } from '../src/model/loss.js';
import { logCoshDice } from '../src/tasks/segmentation/losses/log-cosh-dice.js';
import type { Segmenter } from '../src/tasks/segmentation/segmenter.js';
import { adamW } from '../src/train/optimizers/adam.js';
import { Training } from '../src/train/training.js';
import { CLASSES } from './models.js';
import { noise } from './noise.js';

/** Starts the engine that the flags ask for. */
export function startEngine({
  engine,
  precision,
  threads,
}: {
  readonly engine: EngineName;
  readonly precision?: Precision | undefined;
  readonly threads?: number | undefined;
}): Promise<Engine> {
  return useEngine(engine, { ...(precision && { precision }), ...(threads && { threads }) });
}

/** One step of a run: forward, loss, gradients, AdamW, on a batch that stays the same. */
export function stepOf(model: Segmenter, size: number, loss: Loss = logCoshDice()): () => Promise<unknown> {
  const training = new Training({
    model,
    loss,
    optimizer: adamW(),
    learningRate: 1e-4,
    seed: 1,
  });
  const batch = randomBatch(size, model.imageSize);
  return () => training.step({ ...batch, plan: { ...batch.plan, position: training.position } });
}

/** Pictures of noise and masks of random classes. */
export function randomBatch(size: number, { width, height }: Size): Batch {
  const classes = noise(size * height * width, 1 / Math.sqrt(12), 2, 0.5);
  const images = tensor4d(noise(size * height * width * 3, 1, 1), [size, height, width, 3]);
  const masks = tensor3d(
    Int32Array.from(classes, (x) => Math.min(CLASSES - 1, Math.floor(x * CLASSES))),
    [size, height, width],
    'int32',
  );
  const dispose = () => [images, masks].forEach((tensor) => tensor.dispose());
  return {
    plan: { epoch: 1, batch: 0, batches: 1, position: 0, samples: [] },
    inputs: images,
    targets: masks,
    dispose,
  };
}
