import assert from 'node:assert/strict';
import { tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import type { Batch } from '../../../src/data/batch.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { layerDecay } from '../../../src/model/vit/layer-decay.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { sgd } from '../../../src/train/optimizers/sgd.js';
import { Training } from '../../../src/train/training.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});

function batch(): Batch {
  const random = randomStream(1, 'layer decay');
  const images = tensor4d(
    Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => random() - 0.5),
    [2, 8, 8, 3],
  );
  const masks = tensor3d(
    Int32Array.from({ length: 2 * 64 }, (_, i) => i % 3),
    [2, 8, 8],
    'int32',
  );
  const plan = { epoch: 1, batch: 0, batches: 1, position: 0, samples: [] };
  return { plan, inputs: images, targets: masks, dispose: () => [images, masks].forEach((t) => t.dispose()) };
}

const weights = (model: Segmenter) =>
  new Map(model.parameters.trainable().map(({ name, value }) => [name, Float64Array.from(value.dataSync())]));

/** By how much each parameter moves in one step of SGD with the rate 1. */
async function moves(make: () => Segmenter, decay?: number): Promise<Map<string, Float64Array>> {
  const model = make();
  const rates = decay === undefined ? undefined : layerDecay(config.num_hidden_layers, decay);
  const options = { loss: crossEntropy(), optimizer: sgd(), learningRate: 1, seed: 1 };
  const training = new Training({ model, ...options, rates });
  const before = weights(model);
  const one = batch();
  await training.step(one);
  one.dispose();
  const moved = new Map(
    [...weights(model)].map(([name, after]) => [name, after.map((x, i) => x - before.get(name)![i]!)]),
  );
  training.dispose();
  model.dispose();
  return moved;
}

/** The share of the whole rate that each parameter moved at: one number, however long the parameter. */
async function shares(make: () => Segmenter, decay: number): Promise<Map<string, number>> {
  const [whole, decayed] = [await moves(make), await moves(make, decay)];
  return new Map(
    [...decayed].map(([name, by]) => {
      const all = whole.get(name)!;
      const at = all.reduce((best, x, i) => (Math.abs(x) > Math.abs(all[best]!) ? i : best), 0);
      return [name, by[at]! / all[at]!];
    }),
  );
}

describe('layerDecay', () => {
  it('moves each layer at its share of the rate, embedding, blocks, last LayerNorm and head', async () => {
    const got = await shares(() => createSegmenter(config, { classes: 3, seed: 1 }), 0.5);
    for (const [name, power] of [
      ['cls', 4],
      ['positions', 4],
      ['patch.weight', 4],
      ['layers.0.norm1.weight', 3],
      ['layers.0.query.weight', 3],
      ['layers.1.fc1.bias', 2],
      ['layers.2.fc2.weight', 1],
      ['norm.weight', 1],
    ] as const)
      assert.ok(Math.abs(got.get(name)! / 0.5 ** power - 1) < 0.02, `${name}: ${got.get(name)}`);
    for (const [name, share] of got)
      if (name.startsWith('head.')) assert.ok(Math.abs(share - 1) < 1e-3, `${name}: ${share}`);
  });

  it('counts the parts of an adapter to their block, beside their own rates', async () => {
    const make = () =>
      createSegmenter(config, { classes: 3, seed: 1 }).inject(lora({ rank: 2, lrRatio: 8 }), 1);
    const options = { classes: 3, seed: 1 };
    const model = createSegmenter(config, options).inject(lora({ rank: 2, lrRatio: 8 }), 1);
    const rate = layerDecay(3, 0.5);
    assert.deepEqual(
      model.parameters
        .trainable()
        .filter(({ name }) => /query\.lora/.test(name))
        .map((parameter) => [parameter.name, (parameter.rate ?? 1) * rate(parameter)]),
      [0, 1, 2].flatMap((layer) => [
        [`layers.${layer}.query.lora_A`, 0.5 ** (3 - layer)],
        [`layers.${layer}.query.lora_B`, 8 * 0.5 ** (3 - layer)],
      ]),
    );
    model.dispose();
    const got = await shares(make, 0.5);
    assert.ok(Math.abs(got.get('layers.1.value.lora_B')! - 0.25) < 0.01);
  });
});
