import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import { safetensorsBytes } from '../../../src/files/safetensors-format.js';
import { heads } from '../../../src/model/heads/heads.js';
import type { AdaptableVit } from '../../../src/model/vit/adaptable-vit.js';
import { type VitConfig, vitConfig } from '../../../src/model/vit/config.js';
import { saveOnnx } from '../../../src/model/vit/save-onnx.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createClassifier } from '../../../src/tasks/classification/classifier.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const SIZE = 32;
const config = (features: Partial<VitConfig>) =>
  vitConfig.parse({
    hidden_size: 24,
    num_hidden_layers: 4,
    num_attention_heads: 2,
    intermediate_size: 48,
    image_size: SIZE,
    patch_size: 8,
    ...features,
  });

const FAMILIES: Readonly<Record<string, Partial<VitConfig>>> = {
  CLIP: { pre_norm: true, hidden_act: 'quick_gelu' },
  SigLIP: { class_token: false, hidden_act: 'gelu_pytorch_tanh' },
  'DINOv2 with registers': { num_register_tokens: 3 },
  'gated DINOv2': { use_gated_mlp: true, hidden_act: 'silu' },
  DINOv3: { rope_theta: 100, num_register_tokens: 3 },
  'one channel': { num_channels: 1 },
  'four channels': { num_channels: 4 },
  'gated DINOv3': { rope_theta: 100, use_gated_mlp: true, hidden_act: 'silu' },
};

describe('ONNX in onnxruntime', () => {
  const models: Readonly<Record<string, () => AdaptableVit>> = {
    ...Object.fromEntries(
      heads.names.map((name) => [
        `head ${name}`,
        () => createSegmenter(config({}), { classes: 3, seed: 1, name }),
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(FAMILIES).flatMap(([name, features]) => [
        [name, () => createSegmenter(config(features), { classes: 3, seed: 1, name: 'linear' })],
        [`${name}, classifier`, () => createClassifier(config(features), { classes: 5, seed: 1 })],
      ]),
    ),
  };
  let dir: string;
  let worst: Readonly<Record<string, number>>;
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    dir = await mkdtemp(join(tmpdir(), 'millrace-onnx-'));
    const random = randomStream(1, 'images');
    const all = Float32Array.from({ length: 3 * 4 * SIZE * SIZE }, () => normal(random));
    for (const [name, make] of Object.entries(models)) {
      const model = make().inject(lora({ rank: 2 }), 1);
      for (const { name: parameter, group, buffer, value } of model.parameters) {
        if (group === 'backbone' || buffer) continue;
        const chance = randomStream(2, parameter);
        const moved = Float32Array.from(value.dataSync(), (x) => x + 0.1 * normal(chance));
        model.parameters.set(parameter, tensor(moved, value.shape));
      }
      const folder = join(dir, name);
      await mkdir(folder);
      await saveOnnx(join(folder, 'model.onnx'), model);
      const channels = model.config.num_channels;
      const numbers = all.subarray(0, 3 * channels * SIZE * SIZE);
      const images = tensor(numbers, [3, channels, SIZE, SIZE]);
      const logits: Tensor = tidy(() => {
        const ours = model.forward(images.transpose([0, 2, 3, 1]));
        return ours.rank === 4 ? ours.transpose([0, 3, 1, 2]) : ours.clone();
      });
      const tensors = new Map([
        ['images', { shape: images.shape, data: numbers }],
        ['logits', { shape: logits.shape, data: (await logits.data()) as Float32Array }],
      ]);
      await writeFile(join(folder, 'expected.safetensors'), safetensorsBytes(tensors));
      dispose([images, logits]);
      model.dispose();
    }
    worst = await python.json(new URL('export_twin.py', import.meta.url), ['all', dir]);
  });
  after(async () => {
    if (dir) await rm(dir, { recursive: true });
  });

  for (const name of Object.keys(models))
    it(`${name}: our logits, one picture or several`, () => {
      assert.ok(worst[name]! < 1e-4, `off by ${worst[name]}`);
    });
});
