import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import { adapters } from '../../src/adapters/adapters.js';
import { UserError } from '../../src/base/errors.js';
import { recordOf, segmenterFrom } from '../../src/experiment/segmenter-record.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { saveBackbone } from '../../src/model/vit/save-backbone.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { createSegmenter } from '../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 16,
  patch_size: 4,
});

describe('segmenterFrom', () => {
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'millrace-'));
    const whole = createSegmenter(config, { classes: 3, seed: 7 });
    await saveBackbone(dir, config, whole.parameters);
    whole.dispose();
  });
  after(() => rmSync(dir, { recursive: true }));

  for (const [what, name, settings, mode] of [
    ['lora', 'lora', { rank: 2, alpha: 8, targets: ['query', 'fc1'] }, 'adapters'],
    ['lora on one layer', 'lora', { rank: 2, rsLora: true, layers: [1] }, 'adapters'],
    ['dora', 'dora', { rank: 2, alpha: 8 }, 'adapters'],
    ['serial_lora', 'serial_lora', { rank: 2, shared: false }, 'adapters'],
    ['localized_lora', 'localized_lora', { blocks: 3, blockRank: 2, alpha: 4 }, 'adapters'],
    ['bitfit', 'bitfit', {}, 'adapters'],
    ['ln_tuning on one layer', 'ln_tuning', { layers: [0] }, 'adapters'],
    ['bitfit of which the head alone trains', 'bitfit', {}, 'head'],
    ['a head alone', undefined, {}, 'head'],
    ['all weights', undefined, {}, 'full'],
  ] as const)
    it(`builds ${what} again from what JSON keeps of it`, async () => {
      const model = await loadSegmenter(dir, { classes: 3, seed: 1, imageSize: 8, batchNorm: true });
      if (name) model.inject(adapters.make(name, settings), 1);
      model.train(mode);
      const random = randomStream(3, 'weights');
      for (const { name, value } of model.parameters.changing())
        model.parameters.set(
          name,
          tidy(() => value.add(value.mul(0).add(random()))),
        );

      const record = JSON.parse(JSON.stringify(recordOf(model, dir))) as unknown;
      const again = await segmenterFrom(record, 99);
      assert.deepEqual(recordOf(again, dir), record);
      assert.deepEqual(
        again.parameters.changing().map(({ name, value }) => [name, value.shape]),
        model.parameters.changing().map(({ name, value }) => [name, value.shape]),
      );
      for (const { name, value } of model.parameters.changing()) again.parameters.set(name, value.clone());
      const images = tensor4d(
        Array.from({ length: 192 }, () => normal(random)),
        [1, 8, 8, 3],
      );
      const logits = () => [model, again].map((each) => tidy(() => each.forward(images).dataSync()));
      const [expected, got] = logits();
      assert.deepEqual(got, expected);
      images.dispose();
      model.dispose();
      again.dispose();
    });

  it('keeps auxiliary heads', async () => {
    const model = await loadSegmenter(dir, { classes: 3, seed: 1, auxiliary: true });
    const record = JSON.parse(JSON.stringify(recordOf(model, dir))) as ReturnType<typeof recordOf>;
    assert.deepEqual(record.head, { classes: 3, auxiliary: true });
    const again = await segmenterFrom(record, 99);
    assert.deepEqual(
      [...again.parameters].map(({ name }) => name),
      [...model.parameters].map(({ name }) => name),
    );
    again.dispose();
    model.dispose();
  });

  it('keeps which parameters train where they are a choice of its own, such as BitFit', async () => {
    const model = await loadSegmenter(dir, { classes: 3, seed: 1, imageSize: 8, batchNorm: true });
    for (const parameter of model.parameters)
      parameter.trainable = parameter.name.endsWith('.bias') || parameter.name.startsWith('head.classify');
    const names = model.parameters.trainable().map(({ name }) => name);
    const record = JSON.parse(JSON.stringify(recordOf(model, dir))) as ReturnType<typeof recordOf>;
    assert.deepEqual([record.mode, record.trainable], ['custom', names]);
    const again = await segmenterFrom(record, 99);
    assert.deepEqual(
      again.parameters.changing().map(({ name }) => name),
      model.parameters.changing().map(({ name }) => name),
    );
    assert.deepEqual(recordOf(again, dir), record);
    again.dispose();
    await assert.rejects(
      segmenterFrom({ ...record, trainable: ['nose'] }, 1),
      /train: expected names .* got nose/,
    );
    model.dispose();
  });

  it('refuses to record an adapter that could not be built again', async () => {
    const model = await loadSegmenter(dir, { classes: 3, seed: 1 });
    model.inject({ ...adapters.make('lora', { rank: 1 }), name: 'mine' }, 1);
    assert.throws(
      () => recordOf(model, dir),
      /adapter: expected one of lora, .* got mine, which a checkpoint could not restore/,
    );
    model.dispose();
  });

  it('refuses invalid records and what an adapter refuses, and frees what it had built', async () => {
    const record = {
      modelName: dir,
      imageSize: 8,
      head: { classes: 3 },
      adapter: { name: 'lora', settings: { rank: 2 } },
      mode: 'adapters',
    };
    const cases: [unknown, RegExp][] = [
      [undefined, /expected the record of a model, got one with nothing/],
      [{ ...record, mode: 'all' }, /expected the record of a model, got one with mode: /],
      [{ ...record, adapter: { name: 'lore', settings: {} } }, /adapter: .* got "lore"; did you mean lora\?/],
      [{ ...record, adapter: { name: 'lora', settings: {} } }, /rank: expected an integer .* got undefined/],
      [{ ...record, modelName: join(dir, 'nowhere') }, /nowhere: expected a folder/],
    ];
    for (const [given, message] of cases)
      await assert.rejects(segmenterFrom(given, 1), (error) => {
        assert(error instanceof UserError, String(error));
        assert.match(error.message, message);
        return true;
      });
  });
});

describe('adapters', () => {
  it('knows each adapter by the name that it gives itself', () => {
    for (const name of adapters.names)
      assert.equal(adapters.make(name, { rank: 2, blocks: 2, blockRank: 1 }).name, name);
  });
});
