import assert from 'node:assert/strict';
import { type Tensor, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { heads } from '../../../src/model/heads/heads.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { sgd } from '../../../src/train/optimizers/sgd.js';
import { Training } from '../../../src/train/training.js';

const PATCH = 4;
const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 4,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 2 * PATCH,
  patch_size: PATCH,
});
const AUXILIARY = [0, 1, 2].flatMap((i) => ['weight', 'bias'].map((each) => `head.auxiliary.${i}.${each}`));

const segmenter = (name: string, auxiliary = true): Segmenter =>
  createSegmenter(config, { classes: 3, seed: 1, name, auxiliary });

function pictures(): Tensor {
  const random = randomStream(1, 'pictures');
  return tensor4d(
    Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => normal(random)),
    [2, 8, 8, 3],
  );
}

function batch(position = 0) {
  const random = randomStream(1, 'masks');
  const inputs = pictures();
  const targets = tidy(() =>
    tensor4d(
      Int32Array.from({ length: 2 * 8 * 8 }, () => Math.floor(3 * random())),
      [2, 8, 8, 1],
    ).reshape([2, 8, 8]),
  );
  const plan = { epoch: 1, batch: 0, batches: 9, position, samples: [] };
  return { plan, inputs, targets, dispose: () => [inputs, targets].forEach((x) => x.dispose()) };
}

/** The change of each parameter by a step with rate 1 of plain gradient descent: the negative gradient. */
async function stepOf(model: Segmenter, deepSupervision?: number) {
  const training = new Training({
    model,
    loss: crossEntropy(),
    optimizer: sgd({ momentum: 0 }),
    learningRate: 1,
    deepSupervision,
    seed: 1,
  });
  const before = new Map([...model.parameters].map(({ name, value }) => [name, value.dataSync()]));
  const given = batch();
  try {
    const { loss } = await training.step(given);
    const change = new Map(
      [...model.parameters].map(({ name, value }) => [
        name,
        value.dataSync().map((x, i) => x - before.get(name)![i]!),
      ]),
    );
    return { loss, change };
  } finally {
    given.dispose();
    training.dispose();
  }
}

describe('auxiliary heads', () => {
  for (const name of heads.names.filter((name) => name !== 'conv')) {
    it(`of ${name} leave what it says as it is, and say the classes of each pixel to training`, () => {
      const [plain, model] = [segmenter(name, false), segmenter(name)];
      assert.deepEqual(
        [...model.parameters].map((each) => each.name).filter((each) => !plain.parameters.has(each)),
        AUXILIARY,
      );
      tidy(() => {
        const images = pictures();
        const said: Tensor[] = [];
        const logits = model.forward(images, { auxiliary: (outputs) => said.push(outputs) });
        const expected = plain.forward(images).dataSync();
        assert.deepEqual(logits.dataSync(), expected);
        assert.deepEqual(model.forward(images).dataSync(), expected);
        for (const { shape } of said) assert.deepEqual(shape, logits.shape);
        assert.equal(said.length, 3);
        assert.equal(new Set(said.map((each) => each.dataSync()[0])).size, 3);
      });
      plain.dispose();
      model.dispose();
    });
  }

  it('add the factor times the mean of their losses, and its gradient, to those of the head', async () => {
    const steps = [];
    for (const factor of [undefined, 0.4, 0.8]) {
      const model = segmenter('study');
      steps.push(await stepOf(model, factor));
      model.dispose();
    }
    const [none, some, twice] = steps as [(typeof steps)[0], (typeof steps)[0], (typeof steps)[0]];
    assert(
      some.loss - none.loss > 0.3,
      'of random logits cross-entropy is about log 3, and 0.4 of it comes on top',
    );
    assert(Math.abs(twice.loss - some.loss - (some.loss - none.loss)) < 1e-5);
    for (const [parameter, change] of some.change)
      change.forEach((value, i) => {
        const [from, to] = [none.change.get(parameter)![i]!, twice.change.get(parameter)![i]!];
        assert(Math.abs(value - (from + to) / 2) < 1e-5, `${parameter}: ${from}, ${value}, ${to}`);
      });
    const moves = ({ change }: typeof none, name: string) => change.get(name)!.some((x) => x !== 0);
    for (const name of AUXILIARY)
      assert.deepEqual([moves(none, name), moves(some, name)], [false, true], name);
    const block = 'layers.0.fc2.weight';
    assert.notDeepEqual(none.change.get(block), some.change.get(block));
  });

  it('are refused where the model has none', async () => {
    const model = segmenter('study', false);
    await assert.rejects(stepOf(model, 0.4), {
      name: 'UserError',
      message: /^deepSupervision: expected a model with auxiliary heads, got one without/,
    });
    model.dispose();
  });

  it('end the trunk at the first block that they read', () => {
    const [plain, model] = [segmenter('study', false).train('head'), segmenter('study').train('head')];
    assert.deepEqual([plain.trunkBlocks, model.trunkBlocks], [4, 1]);
    plain.dispose();
    model.dispose();
  });

  it('have no place in an export', () => {
    const [plain, model] = [segmenter('detail', false), segmenter('detail')];
    assert.deepEqual(model.headPlaces(), plain.headPlaces());
    plain.dispose();
    model.dispose();
  });
});
