import assert from 'node:assert/strict';
import { concat, onesLike, reshape, type Tensor, tensor4d } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import { AdapterStart } from '../../../src/model/vit/adapter-start.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 16,
  image_size: 8,
  patch_size: 4,
});

function pictures(seed: number, count = 3): Tensor {
  const random = randomStream(seed, 'pictures');
  const values = Float32Array.from({ length: count * 8 * 8 * 3 }, () => random() - 0.5);
  return tensor4d(values, [count, 8, 8, 3]);
}

const eva = (rank = 3) =>
  createSegmenter(config, { classes: 3, seed: 1 }).inject(
    lora({ rank, init: 'eva', targets: ['query', 'key', 'fc2'], rankPattern: { key: 2 } }),
    1,
  );

async function started(...batches: Tensor[]): Promise<Segmenter> {
  const model = eva();
  const start = new AdapterStart(model);
  assert.equal(start.needed, true);
  for (const images of batches) await start.add(images);
  start.finish();
  assert.equal(start.needed, false);
  return model;
}

const values = (model: Segmenter) =>
  new Map(
    [...model.parameters].flatMap(({ name, group, value }) =>
      group === 'adapter' ? [[name, value.dataSync()] as const] : [],
    ),
  );

describe('the start of an adapter from data', () => {
  it('has the principal components of what each map reads', async () => {
    const images = pictures(1);
    const model = await started(images);
    let rows: number[][] = [];
    model.watchMaps(images, ({ layer, target }, x) => {
      const [batch, tokens, width] = x.shape as [number, number, number];
      if (layer === 1 && target === 'fc2')
        rows = reshape(x, [batch * tokens, width]).arraySync() as number[][];
    });
    const mean = rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length);
    const scatter = mean.map((_, i) =>
      mean.map((_x, j) => rows.reduce((sum, row) => sum + (row[i]! - mean[i]!) * (row[j]! - mean[j]!), 0)),
    );
    const a = (await model.parameters.get('layers.1.fc2.lora_A').array()) as number[][];
    const column = (k: number) => a.map((row) => row[k]!);
    const product = (x: number[], y: number[]) => x.reduce((sum, one, i) => sum + one * y[i]!, 0);
    const strengths = [0, 1, 2].map((k) => {
      const image = scatter.map((row) => product(row, column(k)));
      const strength = product(image, column(k));
      // An eigenvector: the matrix only makes it longer.
      for (const [i, x] of image.entries())
        assert.ok(Math.abs(x - strength * column(k)[i]!) < 1e-4 * strength, `component ${k}`);
      for (let other = 0; other < k; other++)
        assert.ok(Math.abs(product(column(k), column(other))) < 1e-5, `${k} and ${other}`);
      return strength;
    });
    assert.ok(strengths[0]! > strengths[1]! && strengths[1]! > strengths[2]!, strengths.join());
    model.dispose();
    images.dispose();
  });

  it('takes maps of one input once, and cuts them to their ranks', async () => {
    const images = pictures(1);
    const model = await started(images);
    const [query, key] = ['query', 'key'].map((map) => values(model).get(`layers.0.${map}.lora_A`)!);
    assert.deepEqual(
      Array.from(key!),
      Array.from(query!).filter((_, at) => at % 3 < 2),
    );
    model.dispose();
    images.dispose();
  });

  it('does not depend on how pictures are batched', async () => {
    const [one, two] = [pictures(1), pictures(2)];
    const both = concat([one, two]);
    const [apart, joined] = [await started(one, two), await started(both)];
    for (const [name, value] of values(joined))
      values(apart)
        .get(name)!
        .forEach((x, i) => assert.ok(Math.abs(x - value[i]!) < 1e-4, `${name}: ${x} and ${value[i]}`));
    for (const each of [one, two, both, apart, joined]) each.dispose();
  });

  it('leaves the function of the model as it was', async () => {
    const images = pictures(1);
    const plain = createSegmenter(config, { classes: 3, seed: 1 });
    const model = await started(images);
    const [before, after] = [plain.forward(images), model.forward(images)];
    assert.deepEqual(after.dataSync(), before.dataSync());
    for (const each of [before, after, plain, model, images]) each.dispose();
  });

  it('refuses to train before it, and does not where the parameters were loaded', async () => {
    const images = pictures(1);
    const model = eva();
    assert.throws(
      () => model.forward(images, { random: () => 0.5 }),
      /lora: expected an adapter that has seen data.*AdapterStart/,
    );
    model.forward(images).dispose();
    const a = model.parameters.get('layers.0.query.lora_A');
    model.parameters.set('layers.0.query.lora_A', onesLike(a));
    model.forward(images, { random: () => 0.5 }).dispose();
    for (const each of [model, images]) each.dispose();
  });

  it('refuses fewer tokens than ranks', async () => {
    const images = pictures(1, 1);
    const model = eva(5);
    const start = new AdapterStart(model);
    await start.add(images);
    assert.throws(
      () => start.finish(),
      /init: expected more than 5 tokens to start by eva, got 5; see --init/,
    );
    for (const each of [model, images]) each.dispose();
  });
});
