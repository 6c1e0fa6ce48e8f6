import assert from 'node:assert/strict';
import { ones, tidy } from '@tensorflow/tfjs-core';
import { vitConfig } from '../../../src/model/vit/config.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';

describe('BatchNorm in the head', () => {
  // One patch a picture: a batch of n has n values a channel.
  const config = vitConfig.parse({
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    intermediate_size: 4,
    image_size: 4,
    patch_size: 4,
  });
  const withModel = (work: (model: ReturnType<typeof createSegmenter>) => void) => {
    const model = createSegmenter(config, { classes: 2, batchNorm: true, seed: 1 });
    try {
      work(model);
    } finally {
      model.dispose();
    }
  };
  const train = { random: () => 0.5 };

  it('refuses to train on one value a channel, which has no variance', () =>
    withModel((model) => {
      assert.throws(() => tidy(() => model.forward(ones([1, 4, 4, 3]), train)), {
        name: 'UserError',
        message: /^BatchNorm: expected more than one value a channel to train on, got 1; raise --batch-size/,
      });
      assert.deepEqual([...model.parameters.get('head.norm.variance').dataSync()], [1, 1]);
    }));

  it('scores one, and trains on two', () =>
    withModel((model) => {
      const finite = (images: number, pass = {}) =>
        tidy(() => model.forward(ones([images, 4, 4, 3]), pass).dataSync()).every(Number.isFinite);
      assert(finite(1) && finite(2, train));
      assert(model.parameters.get('head.norm.variance').dataSync().every(Number.isFinite));
    }));
});
