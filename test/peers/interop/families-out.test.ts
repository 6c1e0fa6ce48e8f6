import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { safetensorsBytes } from '../../../src/files/safetensors-format.js';
import type { AdaptableVit } from '../../../src/model/vit/adaptable-vit.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createClassifier, loadClassifier } from '../../../src/tasks/classification/classifier.js';
import { saveClassifier } from '../../../src/tasks/classification/save-classifier.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { saveSegmenter } from '../../../src/tasks/segmentation/save-segmenter.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const shape = {
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  image_size: 28,
  patch_size: 7,
};
const registers = { num_register_tokens: 3 };
/** 88 is what DINOv2 makes of a ratio of 4. */
const gated = { use_gated_mlp: true, hidden_act: 'silu', intermediate_size: 88 };

/** What transformers has a class for, and whether it has one with a classifier. */
const FAMILIES = {
  ViTModel: [{}, true],
  SiglipVisionModel: [{ class_token: false, hidden_act: 'gelu_pytorch_tanh' }, true],
  CLIPVisionModel: [{ pre_norm: true, hidden_act: 'quick_gelu' }, false],
  Dinov2WithRegistersModel: [{ ...registers, module_names: 'dinov2' }, true],
  Dinov2Model: [gated, true],
  'Dinov2WithRegistersModel, gated': [{ ...registers, ...gated }, true],
  DINOv3ViTModel: [{ rope_theta: 100, ...registers }, false],
  'DINOv3ViTModel without biases of keys': [{ rope_theta: 100, ...gated }, false],
} as const;

const images = (): Tensor => {
  const random = randomStream(3, 'pictures');
  return tensor(
    Float32Array.from({ length: 2 * 28 * 28 * 3 }, () => normal(random)),
    [2, 28, 28, 3],
  );
};

const isSame = (a: Tensor, b: Tensor): boolean => {
  const [x, y] = [a.dataSync(), b.dataSync()];
  return x.length === y.length && x.every((value, i) => Object.is(value, y[i]));
};

/** Moves every parameter, but for those that the classes have no place for. */
function shaken<M extends AdaptableVit>(model: M): M {
  for (const { name, value } of model.parameters) {
    if (name === 'patch.bias' && model.config.pre_norm) continue;
    if (name.endsWith('.key.bias') && model.config.rope_theta && model.config.use_gated_mlp) continue;
    const random = randomStream(2, name);
    const moved = Float32Array.from(value.dataSync(), (x) => x + 0.1 * normal(random));
    model.parameters.set(name, tensor(moved, value.shape));
  }
  return model;
}

describe('encoders as transformers saves them', () => {
  let dir: string;
  const results: Record<string, { worst: number; keys: string[]; config: string[]; loaded: string[] }> = {};
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    dir = await mkdtemp(join(tmpdir(), 'millrace-families-out-'));
    for (const [name, [features, classifies]] of Object.entries(FAMILIES)) {
      const config = vitConfig.parse({ ...shape, intermediate_size: 64, ...features });
      const write = async (folder: string, forward: () => Tensor) => {
        const inputs = tidy(() => images().transpose([0, 3, 1, 2]));
        const outputs = tidy(forward);
        const stored = (one: Tensor) => ({ shape: one.shape, data: one.dataSync() as Float32Array });
        const file = new Map([
          ['images', stored(inputs)],
          ['outputs', stored(outputs)],
        ]);
        await writeFile(join(folder, 'expected.safetensors'), safetensorsBytes(file));
        for (const one of [inputs, outputs]) one.dispose();
      };
      const segmenter = shaken(createSegmenter(config, { classes: 2, seed: 1 }));
      await mkdir(join(dir, name));
      await saveSegmenter(join(dir, name), segmenter, ['a', 'b']);
      await write(join(dir, name), () => segmenter.tokens(images()));
      segmenter.dispose();
      if (!classifies) continue;
      const classifier = shaken(createClassifier(config, { classes: 2, seed: 1 }));
      const folder = join(dir, `${name}, classifier`);
      await mkdir(folder);
      await saveClassifier(folder, classifier, ['a', 'b']);
      await write(folder, () => classifier.forward(images()));
      classifier.dispose();
    }
    Object.assign(results, await python.json(new URL('families_out.py', import.meta.url), [dir]));
  });
  after(async () => {
    if (dir) await rm(dir, { recursive: true });
  });

  for (const [name, [, classifies]] of Object.entries(FAMILIES))
    for (const one of [name, ...(classifies ? [`${name}, classifier`] : [])])
      it(`${one}: loads without a missing or surplus tensor, computes what ours does, and is saved alike`, () => {
        const { worst, keys, config, loaded } = results[one]!;
        assert.deepEqual({ keys, config, loaded }, { keys: [], config: [], loaded: [] });
        assert.ok(worst < 1e-5, `off by ${worst}`);
      });

  it('reads its own files again, bit for bit', async () => {
    for (const [name, [features, classifies]] of Object.entries(FAMILIES)) {
      const config = vitConfig.parse({ ...shape, intermediate_size: 64, ...features });
      const original = shaken(createSegmenter(config, { classes: 2, seed: 1 }));
      const again = await loadSegmenter(join(dir, name), { classes: 2, seed: 1 });
      assert.deepEqual({ ...again.config }, { ...config }, name);
      for (const { name: parameter, value, group } of original.parameters)
        if (group === 'backbone')
          assert.ok(isSame(again.parameters.get(parameter), value), `${name}: ${parameter}`);
      for (const model of [original, again]) model.dispose();
      if (!classifies) continue;
      const kept = await loadClassifier(join(dir, `${name}, classifier`), {
        classes: 2,
        head: 'keep',
        seed: 9,
      });
      const head = shaken(createClassifier(config, { classes: 2, seed: 1 }));
      for (const parameter of ['head.weight', 'head.bias'])
        assert.ok(isSame(kept.parameters.get(parameter), head.parameters.get(parameter)), parameter);
      for (const model of [kept, head]) model.dispose();
    }
  });
});
