import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { add, mul, ones, type Tensor, tidy } from '@tensorflow/tfjs-core';
import { linear } from '../../../src/engine/ops/linear.js';
import { upsample } from '../../../src/engine/ops/upsample.js';
import { recordOf, segmenterFrom } from '../../../src/experiment/segmenter-record.js';
import type { Head, HeadOptions } from '../../../src/model/heads/head.js';
import { heads } from '../../../src/model/heads/heads.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 4,
  image_size: 8,
  patch_size: 4,
});

/** One linear map on each patch, and a count of the passes that trained. */
const counting = ({ classes }: HeadOptions): Head => ({
  parameters: (hidden) => [
    {
      name: 'weight',
      shape: [hidden, classes],
      init: { bound: 0.5 },
      torch: { key: 'w', shape: [classes, hidden] },
    },
    { name: 'bias', shape: [classes], init: { value: 2 } },
    { name: 'passes', shape: [1], init: { value: 0 }, buffer: true },
  ],
  forward: (grid, { get, set, patch, random }) => {
    if (random) set('passes', add(get('passes'), 1));
    return upsample(linear(grid, get('weight'), get('bias')), patch);
  },
});

describe('heads', () => {
  let dir: string;
  before(async () => {
    heads.register('test-counting', counting);
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const whole = createSegmenter(config, { classes: 3, seed: 7 });
    await saveBackbone(dir, config, whole.parameters);
    whole.dispose();
  });
  after(() => rmSync(dir, { recursive: true }));
  const logits = (model: { forward(images: Tensor, pass?: object): Tensor }, pass = {}) =>
    tidy(() => model.forward(mul(ones([1, 8, 8, 3]), 0.5), pass).dataSync());

  it('builds a model with a registered head: its parameters train and its state moves', async () => {
    const model = await loadSegmenter(dir, { classes: 3, seed: 1, name: 'test-counting' });
    assert.deepEqual(
      model.parameters.trainable().map(({ name, value }) => [name, value.shape]),
      [
        ['head.weight', [4, 3]],
        ['head.bias', [3]],
      ],
    );
    assert.deepEqual([...model.parameters.get('head.bias').dataSync()], [2, 2, 2]);
    const weight = model.parameters.get('head.weight').dataSync();
    assert(weight.every((value) => Math.abs(value) <= 0.5) && new Set(weight).size > 6);
    assert.equal(logits(model).length, 8 * 8 * 3);
    for (let i = 0; i < 2; i++) logits(model, { random: () => 0.5 });
    assert.deepEqual([...model.parameters.get('head.passes').dataSync()], [2]);
    assert.deepEqual(model.headPlaces(), [
      { parameter: 'head.weight', key: 'w', shape: [3, 4] },
      { parameter: 'head.bias', key: 'bias', shape: [3] },
      { parameter: 'head.passes', key: 'passes', shape: [1] },
    ]);
    model.dispose();
  });

  it('is in the record of a model by its name, and built again from there; the default one is not named', async () => {
    const model = await loadSegmenter(dir, { classes: 3, seed: 1, name: 'test-counting' });
    const record = JSON.parse(JSON.stringify(recordOf(model, dir))) as ReturnType<typeof recordOf>;
    assert.deepEqual(record.head, { classes: 3, name: 'test-counting' });
    const again = await segmenterFrom(record, 1);
    assert.deepEqual(logits(again), logits(model));
    again.dispose();
    model.dispose();
    const plain = await loadSegmenter(dir, { classes: 3, seed: 1, name: 'study' });
    assert.deepEqual(recordOf(plain, dir).head, { classes: 3 });
    plain.dispose();
  });

  it('refuses a head that nobody registered', async () => {
    await assert.rejects(loadSegmenter(dir, { classes: 3, seed: 1, name: 'test-counter' }), {
      name: 'UserError',
      message: /^head: expected one of study, conv, .*got "test-counter"; did you mean test-counting\?$/,
    });
  });
});
