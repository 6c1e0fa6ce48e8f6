import { tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import type { Batch } from '../../src/data/types.js';
import { useEngine } from '../../src/engine/engine.js';
import { logCoshDice } from '../../src/train/losses/log-cosh-dice.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Training } from '../../src/train/training.js';
import { engineFlags, measureFlags, modelFlags } from '../bench-flags.js';
import { command } from '../command.js';
import { median, peakRss, timed } from '../measure.js';
import { CLASSES, randomSegmenter } from '../models.js';
import { noise } from '../noise.js';
import { flops, products } from '../products.js';
import { print, rounded } from '../result.js';

export default command({
  description: 'one step of training: forward, gradients, AdamW',
  flags: { Model: modelFlags, Engine: engineFlags, Measuring: measureFlags },
  run: async ({ model: name, adapter, batch: size, engine: wanted, precision, threads, json, ...how }) => {
    const engine = await useEngine(wanted, { ...(precision && { precision }), ...(threads && { threads }) });
    const model = randomSegmenter(name, adapter);
    const training = new Training({
      model,
      loss: logCoshDice(),
      optimizer: adamW(),
      learningRate: 1e-4,
      seed: 1,
    });
    const batch = randomBatch(size, model.imageSize);
    const seconds = median(
      await timed(how, () =>
        training.step({ ...batch, plan: { ...batch.plan, position: training.position } }),
      ),
    );
    print(
      {
        engine: engine.name,
        precision: engine.precision,
        model: name,
        adapter,
        batch: size,
        threads: engine.threads,
        s_per_step: rounded(seconds),
        images_per_s: rounded(size / seconds),
        peak_rss_mb: rounded(peakRss()),
        gflops: rounded(flops(products(name, adapter, size, true)) / seconds / 1e9),
      },
      json,
    );
  },
});

/** Pictures of noise and masks of random classes. */
function randomBatch(size: number, side: number): Batch {
  const classes = noise(size * side * side, 1 / Math.sqrt(12), 2, 0.5);
  const images = tensor4d(noise(size * side * side * 3, 1, 1), [size, side, side, 3]);
  const masks = tensor3d(
    Int32Array.from(classes, (x) => Math.min(CLASSES - 1, Math.floor(x * CLASSES))),
    [size, side, side],
    'int32',
  );
  const dispose = () => [images, masks].forEach((tensor) => tensor.dispose());
  return { plan: { epoch: 1, batch: 0, batches: 1, position: 0, samples: [] }, images, masks, dispose };
}
