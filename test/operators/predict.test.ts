import assert from 'node:assert/strict';
import { memory, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { from, lastValueFrom, of, toArray } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { IMAGENET, normalize } from '../../operators/normalize.js';
import { predict } from '../../operators/predict.js';
import { noTargets } from '../../src/data/batch.js';
import type { MaskedSample } from '../../src/data/types.js';
import { SIZE, tinyBatch, tinyModel, tinyPlans } from '../train/tiny.js';

describe('predict', () => {
  it('says for each sample what the model sees, should see, and answers', async () => {
    const model = tinyModel();
    const plans = tinyPlans({ count: 3, epochs: 1, batchSize: 2 });
    const batches = plans.map(tinyBatch);
    try {
      const rows = await lastValueFrom(from(batches).pipe(predict(model), toArray()));
      assert.deepEqual(
        rows.map(({ title }) => title),
        plans.flatMap(({ samples }) => samples.map(({ item }) => item.stem)),
      );
      const logits = batches.map(({ inputs }) => tidy(() => model.forward(inputs)));
      const scores = logits.flatMap((tensor) => tensor.arraySync() as number[][][][]);
      for (const tensor of logits) tensor.dispose();
      rows.forEach(({ width, height, prediction, target }, i) => {
        assert.deepEqual([width, height, target?.[0]], [SIZE, SIZE, 255]);
        const best = scores[i]!.flat().map((pixel) => pixel.indexOf(Math.max(...pixel)));
        assert.deepEqual([...prediction], best);
      });
    } finally {
      model.dispose();
      for (const each of batches) each.dispose();
    }
  });

  it('gives back the bytes that were normalised', async () => {
    const model = tinyModel();
    const plan = tinyPlans({ count: 1, epochs: 1, batchSize: 1 })[0]!;
    const image = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) => (i * 37) % 256);
    const mask = new Uint8Array(SIZE * SIZE);
    const sample: MaskedSample = { plan: plan.samples[0]!, width: SIZE, height: SIZE, image, mask };
    const statistics = { mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
    const made = await lastValueFrom(of(sample).pipe(normalize(statistics), batch(plan)));
    const row = await lastValueFrom(of(made).pipe(predict(model, statistics)));
    assert.deepEqual([...row.image], [...image]);
    made.dispose();
    model.dispose();
  });

  it('takes pictures that have no masks', async () => {
    const model = tinyModel();
    const plan = tinyPlans({ count: 2, epochs: 1, batchSize: 2 })[0]!;
    const samples = plan.samples.map((place, i) => ({
      plan: place,
      width: SIZE,
      height: SIZE,
      image: new Uint8Array(3 * SIZE * SIZE).fill(50 * i),
    }));
    const mask = new Uint8Array(SIZE * SIZE);
    const bare = await lastValueFrom(from(samples).pipe(normalize(IMAGENET), batch(plan, noTargets)));
    const masked = await lastValueFrom(
      from(samples.map((sample): MaskedSample => ({ ...sample, mask }))).pipe(
        normalize(IMAGENET),
        batch(plan),
      ),
    );
    const rows = await lastValueFrom(of(bare).pipe(predict(model), toArray()));
    const expected = await lastValueFrom(of(masked).pipe(predict(model), toArray()));
    assert.ok(rows.every((row) => !('target' in row)));
    assert.deepEqual(
      rows.map((row) => ({ ...row, target: mask })),
      expected,
    );
    bare.dispose();
    masked.dispose();
    model.dispose();
  });

  it('answers for every sample of a batch, whatever was planned', async () => {
    const model = tinyModel();
    const plan = tinyPlans({ count: 3, epochs: 1, batchSize: 3 })[0]!;
    const sample = (i: number): MaskedSample => ({
      plan: plan.samples[i]!,
      width: SIZE,
      height: SIZE,
      image: new Uint8Array(3 * SIZE * SIZE).fill(10 * i),
      mask: new Uint8Array(SIZE * SIZE).fill(i),
    });
    const titles = async (...samples: MaskedSample[]) => {
      const made = await lastValueFrom(from(samples).pipe(normalize(IMAGENET), batch(plan)));
      const rows = await lastValueFrom(of(made).pipe(predict(model), toArray()));
      made.dispose();
      for (const { image, target, prediction } of rows)
        assert.deepEqual([image.length, prediction.length, image[0]], [48, 16, 10 * target![0]!]);
      return rows.map(({ title, target }) => [title, target?.[0]]);
    };
    const stem = (i: number) => plan.samples[i]!.item.stem;
    assert.deepEqual(await titles(sample(0), sample(2)), [
      [stem(0), 0],
      [stem(2), 2],
    ]);
    const tiles = [0, 0, 1, 1, 2, 2];
    assert.deepEqual(
      await titles(...tiles.map(sample)),
      tiles.map((i) => [stem(i), i]),
    );
    const own = { ...tinyBatch(plan), plan: { ...plan, samples: [] } };
    const rows = await lastValueFrom(of(own).pipe(predict(model), toArray()));
    assert.deepEqual(
      rows.map(({ title }) => title),
      ['0', '1', '2'],
    );
    own.dispose();
    model.dispose();
  });

  it('frees its tensors when the model throws', async () => {
    const images = tensor4d([1, 1, 1], [1, 1, 1, 3]);
    const masks = tensor3d([0], [1, 1, 1], 'int32');
    const before = memory().numTensors;
    const model = {
      forward: () => {
        images.clone();
        throw new Error('broken');
      },
    };
    const plan = tinyPlans({ count: 1, epochs: 1, batchSize: 1 })[0]!;
    const given = { plan, inputs: images, targets: masks, dispose: () => {} };
    await assert.rejects(lastValueFrom(of(given).pipe(predict(model as never))), /broken/);
    assert.equal(memory().numTensors, before);
    images.dispose();
    masks.dispose();
  });
});
