import assert from 'node:assert/strict';
import { zeros } from '@tensorflow/tfjs-core';
import { vitConfig } from '../../../src/model/vit/config.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';

describe('Segmenter', () => {
  it('says which images it takes', () => {
    const sizes = { hidden_size: 12, num_hidden_layers: 1, num_attention_heads: 3, intermediate_size: 24 };
    const config = vitConfig.parse({ ...sizes, image_size: 8, patch_size: 4 });
    const model = createSegmenter(config, { classes: 3, seed: 1 });
    const images = zeros([2, 4, 8, 3]);
    assert.throws(() => model.forward(images), {
      name: 'UserError',
      message: /^images: expected \[batch, 8, 8, 3\], got \[2, 4, 8, 3\]; decode\(model\.imageSize\)/,
    });
    images.dispose();
    model.dispose();
  });
});
