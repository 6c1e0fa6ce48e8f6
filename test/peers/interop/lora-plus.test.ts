import assert from 'node:assert/strict';
import { tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import type { LoraOptions } from '../../../src/adapters/lora-options.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../../src/train/optimizers/adam.js';
import { Training } from '../../../src/train/training.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

const SHAPE = { hidden_size: 12, num_hidden_layers: 2, num_attention_heads: 3, intermediate_size: 24 };
const PICTURES = { image_size: 8, patch_size: 4 };
const [LR, RATIO, DECAY] = [1e-3, 16, 0.1];

/** Our options and PEFT's. */
const ADAPTERS: Readonly<Record<string, readonly [LoraOptions, object]>> = {
  LoRA: [{ rank: 2 }, {}],
  'LoRA on other maps': [
    { rank: 2, targets: ['key', 'output', 'fc1', 'fc2'] },
    { target_modules: ['k_proj', 'o_proj', 'fc1', 'fc2'] },
  ],
  DoRA: [{ rank: 2, dora: true }, { use_dora: true }],
  'LoRA with its biases': [{ rank: 2, bias: 'lora_only' }, { bias: 'lora_only' }],
};

const PARTS: Readonly<Record<string, string>> = {
  q_proj: 'query',
  k_proj: 'key',
  v_proj: 'value',
  o_proj: 'output',
};

/** Our name of a parameter of PEFT's model. */
function ourName(name: string): string {
  const [, layer, map = '', rest = ''] =
    /layers?\.(\d+)\.(?:attention|mlp)\.(\w+)\.(.+)$/.exec(name) ?? assert.fail(name);
  const part = rest.replace(/\.default(\.weight)?$/, '').replace(/^base_layer\./, '');
  return `layers.${layer}.${PARTS[map] ?? map}.${part.replace('lora_magnitude_vector', 'lora_magnitude')}`;
}

/** How far the fastest element of each of the adapter's parameters moves in AdamW's first step: its learning rate. */
async function firstMoves(options: LoraOptions): Promise<Map<string, number>> {
  const config = vitConfig.parse({ ...SHAPE, ...PICTURES });
  const model = createSegmenter(config, { classes: 3, seed: 1 }).inject(
    // A and B of `orthogonal` have gradients from the first step.
    lora({ ...options, lrRatio: RATIO, init: 'orthogonal' }),
    1,
  );
  const optimizer = adamW({ weightDecay: 0, epsilon: 1e-30 });
  const training = new Training({ model, loss: crossEntropy(), optimizer, learningRate: LR, seed: 1 });
  const random = randomStream(1, 'pictures');
  const inputs = tensor4d(
    Float32Array.from({ length: 2 * 8 * 8 * 3 }, () => random() - 0.5),
    [2, 8, 8, 3],
  );
  const targets = tensor3d(
    Int32Array.from({ length: 2 * 64 }, (_, i) => i % 3),
    [2, 8, 8],
    'int32',
  );
  const plan = { epoch: 1, batch: 0, batches: 1, position: 0, samples: [] };
  const own = () =>
    model.parameters
      .trainable()
      .flatMap(({ name, group, value }) =>
        group === 'adapter' ? [[name, Float64Array.from(value.dataSync())] as const] : [],
      );
  const before = new Map(own());
  await training.step({ plan, inputs, targets, dispose: () => {} });
  const moves = own().map(([name, after]) => {
    const changes = after.map((x, i) => Math.abs(x - before.get(name)![i]!));
    return [name, Math.max(...changes)] as const;
  });
  for (const one of [inputs, targets, training, model]) one.dispose();
  return new Map(moves);
}

describe('LoRA+ and PEFT', () => {
  let theirs: Record<string, Record<string, [rate: number, decay: number]>>;
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    const adapters = Object.fromEntries(
      Object.entries(ADAPTERS).map(([name, [{ rank }, settings]]) => [
        name,
        { r: rank, target_modules: ['q_proj', 'v_proj'], ...settings },
      ]),
    );
    const job = { config: { ...SHAPE, ...PICTURES }, lr: LR, ratio: RATIO, decay: DECAY, adapters };
    theirs = await python.json(new URL('lora_plus_twin.py', import.meta.url), [], job);
  });

  for (const [name, [options]] of Object.entries(ADAPTERS))
    it(`has PEFT's rate of each parameter: ${name}`, async () => {
      const rates = new Map(Object.entries(theirs[name]!).map(([full, [rate]]) => [ourName(full), rate]));
      const moves = await firstMoves(options);
      assert.deepEqual([...moves.keys()].toSorted(), [...rates.keys()].toSorted());
      for (const [parameter, rate] of rates)
        assert.ok(
          Math.abs(moves.get(parameter)! / rate - 1) < 1e-3,
          `${parameter}: ${moves.get(parameter)}, expected ${rate}`,
        );
    });

  it('has their weight decay, but for biases, which lose some here as in an AdamW of one group', () => {
    for (const [name, parameters] of Object.entries(theirs))
      for (const [parameter, [, decay]] of Object.entries(parameters))
        assert.equal(decay, parameter.endsWith('.bias') ? 0 : DECAY, `${name}: ${parameter}`);
  });
});
