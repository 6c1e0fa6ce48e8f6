import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor } from '@tensorflow/tfjs-core';
import type { Adapter } from '../../src/adapters/adapter.js';
import { loadPeft } from '../../src/adapters/load-peft.js';
import { localizedLora } from '../../src/adapters/localized-lora.js';
import { lora } from '../../src/adapters/lora.js';
import { type SavePeftOptions, savePeft } from '../../src/adapters/save-peft.js';
import { serialLora } from '../../src/adapters/serial-lora.js';
import { UserError } from '../../src/errors.js';
import { readSafetensors, type StoredTensor, safetensorsBytes } from '../../src/files/safetensors.js';
import { normal, randomStream } from '../../src/random.js';
import { createSegmenter, type Segmenter } from '../../src/vit/segmenter.js';
import { TARGETS } from '../../src/vit/targets.js';

const config = {
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 24,
  layer_norm_eps: 1e-6,
  image_size: 8,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

const build = (options: { classes?: number; batchNorm?: boolean } = {}) =>
  createSegmenter(config, { classes: 3, seed: 7, ...options });

/** A model with an adapter whose parameters, and the head's, are away from where they start. */
function trained(adapter: Adapter, options: { batchNorm?: boolean } = {}): Segmenter {
  const model = build(options).inject(adapter, 7);
  for (const { name, value, group } of model.parameters)
    if (group !== 'backbone') {
      const random = randomStream(3, name);
      const moved = Float32Array.from(value.dataSync(), (x) => x + normal(random));
      model.parameters.set(name, tensor(moved, value.shape));
    }
  return model;
}

const values = (model: Segmenter) =>
  Object.fromEntries([...model.parameters].map(({ name, value }) => [name, value.arraySync()]));

const adapters: readonly (readonly [string, () => Adapter, SavePeftOptions])[] = [
  ['lora', () => lora({ rank: 2, alpha: 8, dropout: 0.1 }), {}],
  ['lora on all maps', () => lora({ rank: 2, targets: TARGETS }), { attribute: '' }],
  ['lora on all maps', () => lora({ rank: 2, targets: TARGETS }), { transformers: 5 }],
  ['lora on two blocks', () => lora({ rank: 2, layers: [2, 0] }), { head: 'module' }],
  ['rsLora', () => lora({ rank: 4, alpha: 3, rsLora: true }), { baseModel: 'a/b' }],
  ['dora', () => lora({ rank: 2, dora: true }), { transformers: 5 }],
  ['localized', () => localizedLora({ blocks: 3, blockRank: 2, alpha: 5, dropout: 0.2 }), {}],
  ['localized on all maps', () => localizedLora({ blocks: 2, blockRank: 3, targets: TARGETS }), {}],
];

describe('PEFT files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-peft-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  for (const [name, make, options] of adapters)
    it(`${name} with ${JSON.stringify(options)} comes back with its head`, async () => {
      const batchNorm = name === 'lora';
      const saved = trained(make(), { batchNorm });
      await savePeft(saved, folder, options);
      const loaded = await loadPeft(build({ batchNorm }), folder);
      assert.deepEqual(values(loaded), values(saved));
      const { layers, targets, settings } = loaded.adapter!;
      assert.deepEqual([targets, settings], [make().targets, make().settings]);
      assert.deepEqual(layers, make().layers?.toSorted());
      assert.equal(loaded.parameters.count('backbone'), 0);
      saved.dispose();
      loaded.dispose();
    });

  it('writes what facts about PEFT 0.20 say', async () => {
    const model = trained(localizedLora({ blocks: 3, blockRank: 2, alpha: 5 }));
    await savePeft(model, folder);
    model.dispose();
    const { tensors } = await readSafetensors(join(folder, 'adapter_model.safetensors'));
    const query = 'base_model.model.vit.encoder.layer.0.attention.attention.query';
    assert.deepEqual(tensors.get(`${query}.gralora_A`)?.shape, [3, 4, 6]);
    assert.deepEqual(tensors.get(`${query}.gralora_B`)?.shape, [3, 6, 4]);
    assert.equal(tensors.size, 12);
    const json = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'));
    assert.deepEqual(
      [json.peft_type, json.r, json.alpha, json.gralora_k, json.target_modules[1]],
      ['GRALORA', 6, 15, 3, 'encoder.layer.0.attention.attention.value'],
    );
    const head = await readSafetensors(join(folder, 'head.safetensors'));
    assert.deepEqual(head.tensors.get('conv.weight')?.shape, [6, 12, 3, 3]);
    assert.deepEqual(head.tensors.get('classify.weight')?.shape, [3, 6, 1, 1]);
  });

  it('refuses what PEFT does not have, and other folders', async () => {
    const serial = trained(serialLora({ rank: 2 }));
    await assert.rejects(
      savePeft(serial, folder),
      /^UserError: serial_lora: expected an adapter that PEFT has .*merge\(\)/,
    );
    serial.dispose();
    const plain = build();
    await assert.rejects(savePeft(plain, folder), /expected a model with an adapter/);
    plain.dispose();
    const model = trained(lora({ rank: 2 }));
    await writeFile(join(folder, 'thesis.tex'), '');
    await assert.rejects(savePeft(model, folder), /expected an empty folder .* got thesis\.tex/);
    assert.deepEqual(await readdir(folder), ['thesis.tex']);
    model.dispose();
  });

  const key = 'base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight';
  type Change = (config: Record<string, unknown>, tensors: Map<string, StoredTensor>) => void;
  const wrong: readonly (readonly [string, Change, RegExp])[] = [
    [
      'an adapter of another method',
      (c) => (c.peft_type = 'IA3'),
      /adapter_config\.json: peft_type: .*"LORA"\|"GRALORA"/,
    ],
    ['biases', (c) => (c.bias = 'lora_only'), /bias: expected none/],
    [
      'ranks that differ',
      (c) => (c.rank_pattern = { query: 4 }),
      /rank_pattern: expected one rank and alpha for all modules/,
    ],
    [
      'PiSSA, unconverted',
      (c) => (c.init_lora_weights = 'pissa'),
      /init_lora_weights: .*path_initial_model_for_weight_conversion/,
    ],
    ['a missing tensor', (_c, t) => t.delete(key), /got none named encoder\.layer\.0\..*lora_A/],
    [
      'a tensor too many',
      (_c, t) => t.set(key.replace('lora_A', 'lora_C'), t.get(key)!),
      /got one named .*lora_C/,
    ],
    [
      'another width',
      (_c, t) => t.set(key, { ...t.get(key)!, shape: [12, 2] }),
      /shape \[12, 2\] for \[2, 12\]/,
    ],
    ['another rank', (c) => (c.r = 3), /shape \[2, 12\] for \[3, 12\]/],
    ['a model that is no ViT', (_c, t) => t.set('model.layers.0.q', t.get(key)!), /got model\.layers\.0\.q;/],
    ['no tensors', (_c, t) => t.clear(), /expected an adapter's tensors, got none/],
    [
      'a block too many',
      (_c, t) => t.set(key.replace('.0.', '.7.'), t.get(key)!),
      /got one named encoder\.layer\.7\./,
    ],
  ];
  for (const [name, change, message] of wrong)
    it(`refuses ${name}, and leaves the model as it was`, async () => {
      const model = trained(lora({ rank: 2 }));
      await savePeft(model, folder, { head: 'module' });
      model.dispose();
      const [configPath, path] = [
        join(folder, 'adapter_config.json'),
        join(folder, 'adapter_model.safetensors'),
      ];
      const json = JSON.parse(await readFile(configPath, 'utf8')) as Record<string, unknown>;
      const tensors = new Map((await readSafetensors(path)).tensors);
      change(json, tensors);
      await writeFile(configPath, JSON.stringify(json));
      await writeFile(path, safetensorsBytes(tensors));
      const other = build();
      const before = values(other);
      await assert.rejects(loadPeft(other, folder), (error: Error) => {
        assert.ok(error instanceof UserError, error.stack);
        assert.match(error.message, message);
        return true;
      });
      assert.equal(other.adapter, undefined);
      assert.deepEqual(values(other), before);
      other.dispose();
    });

  it('refuses a folder without an adapter, a head of other classes, a model that has an adapter', async () => {
    const model = trained(lora({ rank: 2 }));
    await assert.rejects(
      loadPeft(model, folder),
      /adapter_config\.json: expected an adapter that PEFT saved/,
    );
    await savePeft(model, folder);
    await assert.rejects(loadPeft(model, folder), /expected a model without an adapter/);
    const other = build({ classes: 4 });
    await assert.rejects(
      loadPeft(other, folder),
      /head\.safetensors: .*classify\.weight of shape \[3, 6, 1, 1\]/,
    );
    await rm(join(folder, 'head.safetensors'));
    await loadPeft(other, folder);
    assert.equal(other.parameters.count('adapter'), model.parameters.count('adapter'));
    for (const one of [model, other]) one.dispose();
  });
});
