import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor } from '@tensorflow/tfjs-core';
import { bitFit } from '../../../src/adapters/bitfit.js';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import { lora } from '../../../src/adapters/lora.js';
import { loadPeft } from '../../../src/adapters/peft/load-peft.js';
import type { SavePeftOptions } from '../../../src/adapters/peft/peft-files.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import { serialLora } from '../../../src/adapters/serial-lora.js';
import { UserError } from '../../../src/base/errors.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { type StoredTensor, safetensorsBytes } from '../../../src/files/safetensors-format.js';
import type { Adapter } from '../../../src/model/adapter.js';
import { TARGETS } from '../../../src/model/targets.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

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
  ['lora', () => lora({ rank: 2 }), { attribute: 'backbone' }],
  ['lora', () => lora({ rank: 2 }), { attribute: 'model.encoder', transformers: 4, head: 'module' }],
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
    await savePeft(model, folder, { transformers: 4 });
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

  it('writes each tensor under the names of both versions of transformers, unless told one', async () => {
    const model = trained(lora({ rank: 2 }), { batchNorm: true });
    await savePeft(model, folder, { head: 'module' });
    const { tensors } = await readSafetensors(join(folder, 'adapter_model.safetensors'));
    const before = 'base_model.model.vit.';
    const [old, today] = ['encoder.layer.0.attention.attention.query', 'layers.0.attention.q_proj'].map(
      (module) => tensors.get(`${before}${module}.lora_A.weight`),
    );
    assert.deepEqual([today!.shape, today!.data], [[2, 12], old!.data]);
    const json = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'));
    assert.equal(json.target_modules.length, 2 * 2 * 3);
    // PEFT loads a module only with all of its state.
    assert.deepEqual(tensors.get('base_model.model.head.norm.num_batches_tracked')?.shape, []);
    await savePeft(model, folder, { transformers: 5 });
    const alone = await readSafetensors(join(folder, 'adapter_model.safetensors'));
    assert.equal(alone.tensors.size, 12);
    assert.ok([...alone.tensors.keys()].every((name) => name.startsWith(`${before}layers.`)));
    model.dispose();
  });

  for (const [name, features, own, left] of [
    [
      'SigLIP',
      { class_token: false },
      ['vision_model.encoder.layers.0.mlp.fc1', 'encoder.layers.0.mlp.fc1'],
      [],
    ],
    ['DINOv2 with registers', { num_register_tokens: 2 }, ['encoder.layer.0.mlp.fc1'], ['layers.0.mlp.fc1']],
    // Before version 5 gate and first map were one module there.
    ['gated DINOv2', { use_gated_mlp: true }, ['encoder.layer.0.mlp.up_proj'], ['mlp.weights_in']],
    [
      'DINOv3',
      { rope_theta: 100, num_attention_heads: 3 },
      ['model.layer.0.mlp.up_proj', 'layer.0.mlp.up_proj'],
      [],
    ],
  ] as const)
    it(`${name}: has the module names of its class, and comes back`, async () => {
      const make = () => createSegmenter({ ...config, ...features } as never, { classes: 3, seed: 7 });
      const saved = make().inject(lora({ rank: 2, targets: TARGETS }), 7);
      await savePeft(saved, folder, { attribute: '' });
      const { target_modules } = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'));
      for (const module of own) assert.ok(target_modules.includes(module), `${module} in ${target_modules}`);
      for (const module of left) assert.ok(!target_modules.includes(module), module);
      const loaded = await loadPeft(make(), folder);
      assert.deepEqual(values(loaded), values(saved));
      for (const model of [saved, loaded]) model.dispose();
    });

  it('reads the names of a ViT on DINOv2 with registers, as they were once written', async () => {
    const saved = trained(lora({ rank: 2 }));
    await savePeft(saved, folder);
    const registers = { ...config, num_register_tokens: 2 };
    const loaded = await loadPeft(createSegmenter(registers, { classes: 3, seed: 7 }), folder);
    const name = 'layers.1.value.lora_A';
    assert.deepEqual(values(loaded)[name], values(saved)[name]);
    for (const model of [saved, loaded]) model.dispose();
  });

  it('refuses a change of a gate, and maps that one version has inside another', async () => {
    const gated = { ...config, use_gated_mlp: true as const };
    const model = createSegmenter(gated, { classes: 3, seed: 7 }).inject(
      lora({ rank: 2, targets: ['fc1'] }),
      7,
    );
    await assert.rejects(
      savePeft(model, folder, { transformers: 4 }),
      /layers\.0\.fc1, which is part of another/,
    );
    await savePeft(model, folder);
    const path = join(folder, 'adapter_model.safetensors');
    const { tensors } = await readSafetensors(path);
    const renamed = [...tensors].map(([key, one]) => [key.replace('up_proj', 'gate_proj'), one] as const);
    await writeFile(path, safetensorsBytes(new Map(renamed) as never));
    model.removeAdapter(model.activeAdapter!);
    await assert.rejects(loadPeft(model, folder), /got a change of the gate of a gated MLP, .*gate_proj/);
    model.dispose();
  });

  it('refuses biases that the class does not have, and those that LayerScale is part of', async () => {
    for (const [features, message] of [
      [{ pre_norm: true }, /got a trained patch\.bias/],
      [{ rope_theta: 100 }, /got a trained layers\.0\.key\.bias/],
      [{ folded_layer_scale: true }, /got layers\.0\.output\.bias: LayerScale/],
    ] as const) {
      const model = createSegmenter({ ...config, ...features }, { classes: 3, seed: 7 });
      model.inject(lora({ rank: 2, bias: 'all' }), 7);
      await assert.rejects(savePeft(model, folder), message);
      model.dispose();
    }
  });

  it('takes settings that change nothing, and what is on a pooler or a classifier', async () => {
    const model = trained(lora({ rank: 2, alpha: 4 }));
    await savePeft(model, folder);
    const expected = values(model);
    model.dispose();
    const configPath = join(folder, 'adapter_config.json');
    const path = join(folder, 'adapter_model.safetensors');
    const json = JSON.parse(await readFile(configPath, 'utf8'));
    // All fields of PEFT 0.21's LoraConfig, at their defaults where they are not above.
    const defaults = {
      peft_version: '0.21.2',
      auto_mapping: null,
      revision: null,
      exclude_modules: null,
      layers_to_transform: null,
      layers_pattern: null,
      rank_pattern: { query: 2 },
      alpha_pattern: { query: 4 },
      megatron_config: null,
      megatron_core: 'megatron.core',
      trainable_token_indices: null,
      loftq_config: {},
      eva_config: null,
      corda_config: null,
      lora_ga_config: null,
      velora_config: null,
      alora_invocation_tokens: null,
      use_qalora: false,
      qalora_group_size: 16,
      monteclora_config: null,
      layer_replication: null,
      lora_bias: false,
      target_parameters: null,
      use_bdlora: null,
      arrow_config: null,
      kasa_config: null,
      ensure_weight_tying: false,
    };
    await writeFile(configPath, JSON.stringify({ ...json, ...defaults }));
    const tensors = new Map((await readSafetensors(path)).tensors);
    for (const place of ['vit.pooler.dense.lora_A.weight', 'pooler.dense.lora_B.weight', 'classifier.weight'])
      tensors.set(`base_model.model.${place}`, { dtype: 'F32', shape: [1], data: new Float32Array(1) });
    await writeFile(path, safetensorsBytes(tensors));
    const loaded = await loadPeft(build(), folder);
    assert.deepEqual(values(loaded), expected);
    loaded.dispose();
  });

  it('refuses what PEFT does not have, and other folders', async () => {
    const serial = trained(serialLora({ rank: 2 }));
    await assert.rejects(
      savePeft(serial, folder),
      /^UserError: serial_lora: expected an adapter that PEFT has .*merge\(\)/,
    );
    serial.dispose();
    for (const adapter of [
      bitFit(),
      { ...lora({ rank: 2 }), trains: (name: string) => name === 'norm.bias' },
    ]) {
      const tuned = trained(adapter);
      await assert.rejects(
        savePeft(tuned, folder),
        new RegExp(`^UserError: ${adapter.name}: expected an adapter that PEFT has`),
      );
      tuned.dispose();
    }
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
    ['biases of another kind', (c) => (c.bias = 'some'), /bias: /],
    [
      'other parts to save',
      (c) => (c.modules_to_save = ['layernorm']),
      /modules_to_save: expected head or classifier alone.* got layernorm/,
    ],
    [
      'a pattern that its tensors do not follow',
      (c) => (c.rank_pattern = { query: 4 }),
      /query\.lora_A\.weight of shape \[2, 12\] for \[4, 12\]/,
    ],
    ['a pattern that is none', (c) => (c.alpha_pattern = { '(': 4 }), /expected a regular expression/],
    [
      'PiSSA by chance, unconverted',
      (c) => (c.init_lora_weights = 'pissa_niter_4'),
      /init_lora_weights: .*path_initial_model_for_weight_conversion/,
    ],
    [
      'activated LoRA',
      (c) => (c.alora_invocation_tokens = [5]),
      /alora_invocation_tokens: expected no such setting, which is not supported, got \[5\]/,
    ],
    ['a setting that nobody knows', (c) => (c.use_sorcery = true), /use_sorcery: expected no such setting/],
    ['QALoRA', (c) => (c.use_qalora = true), /use_qalora: expected no such setting/],
    ['an alpha that is no number', (c) => (c.lora_alpha = 'NaN'), /adapter_config\.json: lora_alpha: /],
    ['a dropout of 1', (c) => (c.lora_dropout = 1), /adapter_config\.json: dropout: expected a rate/],
    [
      'two ViTs',
      (_c, t) => t.set(key.replace('vit', 'teacher'), t.get(key)!),
      /expected an adapter of one ViT, got tensors of ("vit" and "teacher"|"teacher" and "vit")/,
    ],
    [
      'other numbers under the names of another version',
      (_c, t) => t.set(key, { ...t.get(key)!, data: new Float32Array(24) }),
      /expected one adapter, got other numbers in layers\.0\.attention\.q_proj\.lora_A\.weight than in encoder/,
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
