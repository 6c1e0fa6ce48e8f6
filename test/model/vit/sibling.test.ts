import assert from 'node:assert/strict';
import { memory, tensor, tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import type { Batch } from '../../../src/data/batch.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../../src/train/optimizers/adam.js';
import { Training } from '../../../src/train/training.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});

describe('Segmenter.sibling', () => {
  const random = randomStream(1, 'sibling test');
  const pixels = Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => normal(random));
  const batch = (): Batch => {
    const images = tensor4d(pixels, [2, 8, 8, 3]);
    const masks = tensor3d(
      Int32Array.from({ length: 2 * 64 }, (_, i) => i % 3),
      [2, 8, 8],
      'int32',
    );
    const plan = { epoch: 1, batch: 0, batches: 1, position: 0, samples: [] };
    return {
      plan,
      inputs: images,
      targets: masks,
      dispose: () => [images, masks].forEach((each) => each.dispose()),
    };
  };
  const logits = async (model: Segmenter) => {
    const { inputs, dispose } = batch();
    const y = model.forward(inputs);
    const data = await y.data();
    y.dispose();
    dispose();
    return data;
  };
  const step = async (model: Segmenter) => {
    const training = new Training({
      model,
      loss: crossEntropy(),
      optimizer: adamW(),
      learningRate: 0.1,
      seed: 1,
    });
    const one = batch();
    await training.step(one);
    one.dispose();
    training.dispose();
  };

  it('adds a head and no second backbone', async () => {
    const buffers = () => memory().numDataBuffers;
    const empty = buffers();
    const first = createSegmenter(config, { classes: 3, seed: 7 });
    const before = buffers();
    const second = first.sibling({ classes: 3, seed: 7 });
    assert.equal(buffers() - before, second.parameters.trainable().length);
    assert.deepEqual(await logits(second), await logits(first));
    first.dispose();
    assert.equal((await logits(second)).length, 2 * 64 * 3);
    second.dispose();
    assert.equal(buffers(), empty);
  });

  it('trains independently: no sibling sees another’s adapter, head or trained backbone', async () => {
    const first = createSegmenter(config, { classes: 3, seed: 7 }).train('head');
    const [adapted, whole] = [1, 2].map((seed) => first.sibling({ classes: 3, seed }));
    adapted!.inject(lora({ rank: 2 }), 1);
    whole!.train('full');
    const before = await logits(first);
    await step(adapted!);
    await step(whole!);
    adapted!.merge();
    assert.deepEqual(await logits(first), before);
    assert.throws(() => adapted!.sibling({ classes: 3, seed: 1 }), /got one with lora merged into it/);
    for (const model of [whole!, first, adapted!]) model.dispose();
  });

  it('shares weights set later, with their current values', async () => {
    const first = createSegmenter(config, { classes: 3, seed: 7 });
    first.parameters.set('norm.bias', tensor(new Float32Array(12).fill(3), [12]));
    const second = first.sibling({ classes: 3, seed: 7 });
    assert.deepEqual(await logits(second), await logits(first));
    first.dispose();
    second.dispose();
  });
});
