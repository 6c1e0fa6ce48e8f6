import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { tensor } from '@tensorflow/tfjs-core';
import { adapters } from '../../src/adapters/adapters.js';
import { splitPairs } from '../../src/data/split.js';
import { recordOf } from '../../src/experiment/segmenter-record.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { saveBackbone } from '../../src/model/vit/save-backbone.js';
import { randomStream } from '../../src/random/random-stream.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { logCoshDice } from '../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { findPairs } from '../../src/tasks/segmentation/pairs.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';
import { checkpointStore } from '../../src/train/checkpoint-store.js';
import { adamW } from '../../src/train/optimizers/adam.js';
import { Run } from '../../src/train/run.js';
import { root } from './run.js';

export const plain = join(root, 'fixtures', 'creatures', 'plain');

/** Writes a backbone of random weights for pictures of 16 × 16 into `dir`. */
export async function tinyBackbone(dir: string): Promise<string> {
  const config = vitConfig.parse({
    hidden_size: 12,
    num_hidden_layers: 1,
    num_attention_heads: 3,
    intermediate_size: 24,
    image_size: 16,
    patch_size: 4,
  });
  const whole = createSegmenter(config, { classes: 1, seed: 7 });
  mkdirSync(dir, { recursive: true });
  await saveBackbone(dir, config, whole.parameters);
  whole.dispose();
  return dir;
}

/** Writes the checkpoint of a run whose weights are drawn, the adapter's too, and returns its folder. */
export async function untrained(
  modelDir: string,
  modelName: string,
  {
    seed = 42,
    adapter = 'lora',
    ...changes
  }: { readonly seed?: number; readonly adapter?: string; readonly [setting: string]: unknown } = {},
): Promise<string> {
  const model = await loadSegmenter(modelName, { classes: 3, seed });
  model.inject(adapters.make(adapter, { rank: 2, blocks: 2, blockRank: 1 }), seed);
  for (const { name, group, value } of model.parameters)
    if (group === 'adapter') {
      const random = randomStream(seed, 'test', name);
      model.parameters.set(
        name,
        tensor(
          Array.from({ length: value.size }, () => random() - 0.5),
          value.shape,
        ),
      );
    }
  const dataPercentage = 0.2;
  const config = {
    model: recordOf(model, modelName),
    imageDir: join(plain, 'images'),
    maskDir: join(plain, 'masks'),
    list: [],
    maskIds: [1, 2, 3],
    classNames: ['pet', 'background', 'border'],
    dataPercentage,
    randomSeed: seed,
    split: 'upstream',
    shrink: 'all',
    batchSize: 2,
    loss: 'log-cosh-dice',
    ...changes,
  };
  const pairs = await findPairs(join(plain, 'images'), join(plain, 'masks'));
  const splits = splitPairs(pairs, { seed, percentage: dataPercentage });
  const run = new Run({
    model,
    loss: logCoshDice(),
    optimizer: adamW(),
    learningRate: 1e-3,
    seed,
    epochs: 1,
    batchSize: 2,
    classes: config.classNames,
    config,
    splits,
  });
  const store = checkpointStore(join(modelDir, `${adapter}_${seed}_${dataPercentage}`));
  const { path } = await store.save(run, { epoch: 1 });
  run.dispose();
  model.dispose();
  return path;
}
