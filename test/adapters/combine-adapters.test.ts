import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abs, add, dispose, max, mul, sub, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { type Combination, combineAdapters } from '../../src/adapters/combine-adapters.js';
import { localizedLora } from '../../src/adapters/localized-lora.js';
import { lora } from '../../src/adapters/lora.js';
import { loadStudyAdapter } from '../../src/adapters/study-files.js';
import { safetensorsBytes } from '../../src/files/safetensors-format.js';
import { vitConfig } from '../../src/model/vit/config.js';
import { normal, randomStream } from '../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../src/tasks/segmentation/segmenter.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 8,
  patch_size: 4,
});
const distance = (a: Tensor, b: Tensor) => tidy(() => max(abs(sub(a, b))).dataSync()[0]!);

function stir(model: Segmenter, seed: number): void {
  for (const { name, group, value } of model.parameters)
    if (group === 'adapter') {
      const random = randomStream(seed, name);
      model.parameters.set(
        name,
        tensor(
          Float32Array.from(value.dataSync(), (x) => x + 0.3 * normal(random)),
          value.shape,
        ),
      );
    }
}

/** A model with the adapters a, b and local, all away from where they start. */
function build(): Segmenter {
  const model = createSegmenter(config, { classes: 3, seed: 7 });
  model.inject(lora({ rank: 2, alpha: 6 }), 1, { name: 'a' });
  stir(model, 1);
  model.inject(lora({ rank: 2, targets: ['query', 'fc1'], bias: 'none' }), 2, { name: 'b' });
  stir(model, 2);
  model.inject(localizedLora({ blocks: 2, blockRank: 1 }), 3, { name: 'local' });
  stir(model, 3);
  return model;
}

/** What the active adapter adds to a weight. */
function changeOf(model: Segmenter, name: string | null, map: string): Tensor {
  model.setAdapter(null);
  const before = model.parameters.get(`${map}.weight`).clone();
  model.setAdapter(name).merge();
  const change = sub(model.parameters.get(`${map}.weight`), before);
  model.unmerge();
  before.dispose();
  return change;
}

describe('named adapters', () => {
  const image = () =>
    tensor(
      Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)),
      [1, 8, 8, 3],
    );

  it('are switched, disabled, merged and removed without a trace', () => {
    const [model, x] = [build(), image()];
    assert.deepEqual([model.adapters, model.activeAdapter], [['a', 'b', 'local'], 'local']);
    const tensors: Tensor[] = [x];
    const forward = (name: string | null) => {
      const y = model.setAdapter(name).forward(x);
      tensors.push(y);
      return y;
    };
    const [none, a, b] = [forward(null), forward('a'), forward('b')];
    assert.equal(model.parameters.count('adapter'), 2 * (2 * 24 + 2 * 36));
    assert.ok(distance(a, b) > 1e-3 && distance(none, a) > 1e-3);
    model.setAdapter('a').merge();
    assert.ok(model.merged);
    assert.equal(distance(forward('b'), b), 0);
    assert.equal(distance(forward('a'), a), 0);
    model.removeAdapter('a');
    assert.deepEqual([model.adapters, model.activeAdapter], [['b', 'local'], undefined]);
    assert.equal(distance(forward(null), none), 0);
    assert.throws(
      () => model.setAdapter('a'),
      /expected the name of an adapter in the model \(b, local\), got a/,
    );
    assert.throws(() => model.inject(lora({ rank: 1 }), 1, { name: 'b' }), /without an adapter named b/);
    dispose(tensors);
    model.dispose();
  });

  it('keep biases that they train to themselves', () => {
    const model = createSegmenter(config, { classes: 3, seed: 7 });
    const bias = 'layers.0.query.bias';
    model.inject(lora({ rank: 1, bias: 'all' }), 1, { name: 'a' });
    model.parameters.set(bias, tensor(new Float32Array(12).fill(3)));
    model.inject(lora({ rank: 1, bias: 'lora_only' }), 1, { name: 'b' });
    const at = (name: string | null) => model.setAdapter(name).parameters.get(bias).dataSync()[0];
    assert.deepEqual([at('a'), at(null), at('b'), at('a')], [3, 0, 0, 3]);
    model.dispose();
  });

  for (const combination of ['cat', 'svd'] as const satisfies readonly Combination[])
    it(`are combined exactly by ${combination}`, () => {
      const model = build();
      const weights = { a: 0.7, b: -0.3 };
      combineAdapters(model, 'both', weights, { combination, ...(combination === 'svd' && { rank: 4 }) });
      assert.equal(model.activeAdapter, 'both');
      for (const map of ['layers.0.query', 'layers.1.value', 'layers.1.fc1']) {
        const parts = (['a', 'b'] as const).map((name) => changeOf(model, name, map));
        const sum = tidy(() => add(mul(parts[0]!, 0.7), mul(parts[1]!, -0.3)));
        const both = changeOf(model, 'both', map);
        assert.ok(distance(sum, both) < 1e-5, `${map}: ${distance(sum, both)}`);
        dispose([...parts, sum, both]);
      }
      model.dispose();
    });

  it('are combined by svd whatever they are, and refused by cat where they have no factors', () => {
    const model = build();
    combineAdapters(model, 'both', { a: 1, local: 2 }, { combination: 'svd', rank: 6 });
    const parts = (['a', 'local', 'both'] as const).map((name) => changeOf(model, name, 'layers.0.value'));
    const sum = tidy(() => add(parts[0]!, mul(parts[1]!, 2)));
    assert.ok(distance(sum, parts[2]!) < 1e-5);
    assert.throws(
      () => combineAdapters(model, 'c', { a: 1, local: 1 }),
      /cat: expected adapters of LoRA, got localized_lora \(local\); combine it by svd/,
    );
    dispose([...parts, sum]);
    model.dispose();
  });
});

describe('adapter files of the original study', () => {
  it('are LoRA and Localized LoRA, block by block', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-study-'));
    const random = randomStream(1, 'study');
    const matrix = (rows: number, columns: number) => ({
      shape: [rows, columns],
      data: Float32Array.from({ length: rows * columns }, () => normal(random)),
    });
    const [K, r, chunk] = [2, 3, 6];
    const tensors = new Map<string, ReturnType<typeof matrix>>();
    for (let index = 0; index < 4; index++)
      for (let i = 0; i < K; i++)
        for (let j = 0; j < K; j++) {
          tensors.set(`l${index}_A_${i}_${j}`, matrix(r, chunk));
          tensors.set(`l${index}_B_${i}_${j}`, matrix(chunk, r));
        }
    const path = join(folder, 'localized.safetensors');
    await writeFile(path, safetensorsBytes(tensors));
    const model = createSegmenter(config, { classes: 3, seed: 7 });
    await loadStudyAdapter(model, path, { alpha: 6 });
    const change = changeOf(model, 'default', 'layers.1.value');
    // Block of input chunk i and output chunk j of layer 1's value (index 3): scale·(B·A)ᵀ.
    const [rows, numbers] = [12, change.dataSync()];
    for (let i = 0; i < K; i++)
      for (let j = 0; j < K; j++) {
        const [A, B] = ['A', 'B'].map((part) => tensors.get(`l3_${part}_${i}_${j}`)!.data);
        let sum = 0;
        for (let k = 0; k < r; k++) sum += B![4 * r + k]! * A![k * chunk + 2]!;
        assert.ok(Math.abs(numbers[(i * chunk + 2) * rows + j * chunk + 4]! - 2 * sum) < 1e-4);
      }
    change.dispose();
    await assert.rejects(loadStudyAdapter(model, path), /expected the alpha that it was trained with/);
    model.dispose();
    await rm(folder, { recursive: true });
  });
});
