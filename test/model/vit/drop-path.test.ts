import assert from 'node:assert/strict';
import { type Tensor, tensor, tensor4d, tidy, zeros } from '@tensorflow/tfjs-core';
import { vitConfig } from '../../../src/model/vit/config.js';
import { dropPathRates, residual } from '../../../src/model/vit/drop-path.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});

describe('dropPath', () => {
  it('has the rates of timm, linear by block', () => {
    assert.deepEqual(dropPathRates(0.2, 3), [0, 0.1, 0.2]);
    assert.deepEqual(dropPathRates(0.2, 1), [0]);
  });

  it('leaves the branch of a whole picture out, or scales it so that the mean stays', () => {
    const [pictures, rate] = [4000, 0.3];
    const random = randomStream(3, 'drop path test');
    const shape = [pictures, 2, 3];
    const after = tidy(() => {
      const branch = tensor(new Float32Array(pictures * 6).fill(0.7), shape);
      return residual(zeros(shape), branch, rate, random).dataSync();
    });
    const rows = Array.from({ length: pictures }, (_, i) => after.slice(6 * i, 6 * i + 6));
    for (const row of rows) assert.equal(new Set(row).size, 1);
    const kept = rows.filter(([x]) => x !== 0);
    for (const [x] of kept) assert.ok(Math.abs(x! - 1) < 1e-6);
    // Four standard deviations of a binomial share.
    assert.ok(Math.abs(kept.length / pictures - 0.7) < 4 * Math.sqrt((0.3 * 0.7) / pictures));
  });

  describe('in a model', () => {
    const pixels = Float32Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => Math.sin(i));
    const logits = (model: Segmenter, seed?: number) => {
      const images = tensor4d(pixels, [2, 8, 8, 3]);
      const pass = seed === undefined ? {} : { random: randomStream(seed, 'dropout') };
      const y: Tensor = model.forward(images, pass);
      const values = [...y.dataSync()];
      images.dispose();
      y.dispose();
      return values;
    };

    it('is off when the model is scored, and a function of the random stream when it trains', () => {
      const model = createSegmenter(config, { classes: 3, seed: 1 });
      const plain = logits(model);
      model.trainsWith({ dropPath: 0.5 });
      assert.deepEqual(logits(model), plain);
      assert.deepEqual(logits(model, 1), logits(model, 1));
      assert.ok(new Set([1, 2, 3, 4].map((seed) => logits(model, seed).join())).size > 1);
      model.trainsWith({});
      assert.deepEqual(logits(model, 1), plain);
      model.dispose();
    });

    it('leaves no block steady above the first, whose rate is 0', () => {
      const model = createSegmenter(config, { classes: 3, seed: 1 }).train('head');
      assert.equal(model.trunkBlocks, 3);
      assert.equal(model.trainsWith({ dropPath: 0.1 }).trunkBlocks, 1);
      model.dispose();
    });

    it('refuses a rate that is none', () => {
      const model = createSegmenter(config, { classes: 3, seed: 1 });
      for (const dropPath of [-0.1, 1, Number.NaN])
        assert.throws(() => model.trainsWith({ dropPath }), {
          name: 'UserError',
          message: `dropPath: expected a number from 0 up and below 1, got ${dropPath}`,
        });
      model.dispose();
    });
  });
});
