import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUniform } from '@tensorflow/tfjs-core';
import { fixture } from '../../../src/base/fixture.js';
import { heads } from '../../../src/model/heads/heads.js';
import { adaptedPatches, withChannels } from '../../../src/model/vit/adapt-channels.js';
import { readPretrained } from '../../../src/model/vit/pretrained.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { saveOnnx } from '../../../src/model/vit/save-onnx.js';
import { segmenterOf } from '../../../src/tasks/segmentation/segmenter.js';

describe('adaptedPatches', () => {
  // Two outputs of three channels with one weight each.
  const weight = Float32Array.of(1, 2, 4, 8, 16, 32);
  const shape = [2, 3, 1, 1];

  it('sums red, green and blue for one channel', () => {
    assert.deepEqual([...adaptedPatches(weight, shape, 1)], [7, 56]);
  });

  it('repeats them in turn for more, scaled by 3 / N', () => {
    assert.deepEqual([...adaptedPatches(weight, shape, 2)], [1.5, 3, 12, 24]);
    assert.deepEqual([...adaptedPatches(weight, shape, 4)], [0.75, 1.5, 3, 0.75, 6, 12, 24, 6]);
    assert.deepEqual([...adaptedPatches(weight, shape, 6)].slice(0, 6), [0.5, 1, 2, 0.5, 1, 2]);
  });
});

describe('a ViT of other channels', () => {
  const folder = fixture('vit-creatures');
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-channels-'));
  });
  after(() => rmSync(dir, { recursive: true }));

  for (const name of ['study', 'detail'])
    it(`takes pictures of 4 channels, and no others, with the head ${name}`, async () => {
      assert.ok(heads.has(name));
      const model = segmenterOf(await readPretrained(folder), { classes: 3, name, channels: 4, seed: 1 });
      const { width, height } = model.imageSize;
      const images = randomUniform([1, height, width, 4]);
      const logits = model.forward(images);
      assert.deepEqual(logits.shape, [1, height, width, 3]);
      const { mean, std } = model.normalization;
      assert.deepEqual([mean.length, std.length, mean[3]], [4, 4, mean[0]]);
      const rgb = randomUniform([1, height, width, 3]);
      assert.throws(() => model.forward(rgb), /expected \[batch, \d+, \d+, 4\]/);
      for (const tensor of [images, logits, rgb]) tensor.dispose();
      model.dispose();
    });

  it('is written and read again, and not adapted twice', async () => {
    const model = segmenterOf(await readPretrained(folder), { classes: 3, channels: 4, seed: 1 });
    await saveBackbone(dir, model.config, model.parameters, { normalization: model.normalization });
    assert.equal(JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8')).num_channels, 4);
    const again = await readPretrained(dir);
    assert.equal(again.config.num_channels, 4);
    assert.deepEqual(again.normalization, model.normalization);
    assert.equal(withChannels(again, 4), again);
    const whole = model.parameters.get('patch.weight').dataSync();
    const second = segmenterOf(again, { classes: 3, seed: 1 });
    assert.deepEqual(second.parameters.get('patch.weight').dataSync(), whole);
    assert.throws(() => withChannels(again, 13), {
      name: 'UserError',
      message: /expected a model of 3 channels, which can be adapted to 13, got one of 4; give --channels 4/,
    });
    model.dispose();
    second.dispose();
  });

  it('is written as ONNX, whose input has its channels', async () => {
    const model = segmenterOf(await readPretrained(folder), { classes: 3, channels: 5, seed: 1 });
    await saveOnnx(join(dir, 'model.onnx'), model);
    assert.ok(readFileSync(join(dir, 'model.onnx')).length > 1000);
    model.dispose();
  });

  it('refuses statistics of other channels', async () => {
    const pretrained = await readPretrained(folder);
    const normalization = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
    assert.throws(() => segmenterOf(pretrained, { classes: 3, channels: 4, normalization, seed: 1 }), {
      name: 'UserError',
      message: /expected a mean and a deviation for each of 4 channels, .*see --mean and --std/,
    });
  });
});
