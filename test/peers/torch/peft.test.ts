import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, tensor, tensor4d } from '@tensorflow/tfjs-core';
import { TORCH } from '../../../bench/peers/torch.js';
import { combineAdapters } from '../../../src/adapters/combine-adapters.js';
import { hira } from '../../../src/adapters/hira.js';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import { lora } from '../../../src/adapters/lora.js';
import { miss } from '../../../src/adapters/miss.js';
import { loadPeft } from '../../../src/adapters/peft/load-peft.js';
import type { SavePeftOptions } from '../../../src/adapters/peft/peft-files.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import { shira } from '../../../src/adapters/shira.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { safetensorsBytes } from '../../../src/files/safetensors-format.js';
import type { Adapter } from '../../../src/model/adapter.js';
import { TARGETS } from '../../../src/model/targets.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { close } from './close.js';

const SIZE = 32;
const config = {
  hidden_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 96,
  layer_norm_eps: 1e-6,
  image_size: SIZE,
  patch_size: 8,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};
const random = randomStream(5, 'images');
const pixels = Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, () => normal(random));

/** Moves parameters from where they start, so that every path matters. */
function stir(model: Segmenter, group: string, spread: number): void {
  for (const parameter of [...model.parameters].filter((one) => one.group === group && !one.buffer)) {
    const chance = randomStream(11, parameter.name);
    const moved = Float32Array.from(parameter.value.dataSync(), (x) => x + spread * normal(chance));
    model.parameters.set(parameter.name, tensor(moved, parameter.value.shape));
  }
}

const ours: Readonly<Record<string, () => Adapter>> = {
  lora: () => lora({ rank: 4, alpha: 8 }),
  'lora on all maps of two blocks': () => lora({ rank: 3, targets: TARGETS, layers: [0, 2] }),
  rsLora: () => lora({ rank: 4, alpha: 8, rsLora: true }),
  dora: () => lora({ rank: 4, alpha: 8, dora: true, targets: TARGETS }),
  'lora by patterns': () =>
    lora({
      rank: 4,
      alpha: 8,
      targets: TARGETS,
      rankPattern: { query: 2, 'layers.1.fc1': 6 },
      alphaPattern: { value: 3, 'layers.1.fc1': 5 },
      exclude: ['layers.0.output', 'layers.2.value'],
    }),
  'lora with its biases': () => lora({ rank: 4, bias: 'lora_only', targets: ['query', 'fc1'] }),
  'dora with all biases': () => lora({ rank: 4, bias: 'all', dora: true }),
  PiSSA: () => lora({ rank: 4, alpha: 8, init: 'pissa', rankPattern: { value: 2 } }),
  'OLoRA scaled by its root': () => lora({ rank: 4, init: 'olora', rsLora: true, targets: ['fc2'] }),
  hira: () => hira({ rank: 4, targets: TARGETS }),
  miss: () => miss({ rank: 8, targets: TARGETS }),
  'miss of an odd rank': () => miss({ rank: 7 }),
  shira: () => shira({ rank: 2, targets: TARGETS }),
  'localized as GraLoRA': () => localizedLora({ blocks: 4, blockRank: 2, alpha: 5 }),
  'localized on all maps': () => localizedLora({ blocks: 3, blockRank: 2, targets: TARGETS }),
};
const forms: readonly (readonly [string, SavePeftOptions])[] = [
  ['alone', { attribute: '' }],
  ['with the head as a module', { head: 'module' }],
];

const both = { r: 4, target_modules: ['query', 'value'] };
const theirs: Readonly<Record<string, { readonly config: object; readonly segmenter?: boolean }>> = {
  LoRA: { config: { peft_type: 'LORA', lora_alpha: 8, ...both } },
  'LoRA with a regular expression': {
    config: { peft_type: 'LORA', r: 2, target_modules: '.*(output\\.dense|intermediate\\.dense)' },
  },
  'LoRA on one block': { config: { peft_type: 'LORA', ...both, layers_to_transform: [1] } },
  'LoRA on all linear maps': {
    config: { peft_type: 'LORA', r: 3, lora_alpha: 5, target_modules: 'all-linear' },
  },
  rsLoRA: { config: { peft_type: 'LORA', lora_alpha: 8, use_rslora: true, ...both } },
  DoRA: { config: { peft_type: 'LORA', lora_alpha: 8, use_dora: true, lora_dropout: 0.1, ...both } },
  'LoRA by patterns': {
    config: {
      peft_type: 'LORA',
      r: 4,
      lora_alpha: 8,
      target_modules: '.*(query|value|output.dense)',
      rank_pattern: { query: 2, 'layer.[01].attention.attention.value': 6 },
      alpha_pattern: { '^encoder.layer.2.*': 3 },
      exclude_modules: '.*layer.1.output.dense',
    },
  },
  'LoRA on some layers by a pattern': {
    config: { peft_type: 'LORA', ...both, layers_to_transform: [0, 2], layers_pattern: 'layer' },
  },
  'LoRA, gaussian': { config: { peft_type: 'LORA', ...both, init_lora_weights: 'gaussian' } },
  'LoRA, orthogonal': { config: { peft_type: 'LORA', ...both, init_lora_weights: 'orthogonal' } },
  'LoRA with all biases': { config: { peft_type: 'LORA', ...both, bias: 'all' } },
  'LoRA without some modules': {
    config: {
      peft_type: 'LORA',
      r: 2,
      target_modules: 'all-linear',
      exclude_modules: ['key', 'output.dense'],
    },
  },
  PiSSA: { config: { peft_type: 'LORA', ...both, lora_alpha: 6, init_lora_weights: 'pissa' } },
  OLoRA: { config: { peft_type: 'LORA', ...both, lora_alpha: 2, init_lora_weights: 'olora' } },
  HiRA: { config: { peft_type: 'HIRA', r: 4, target_modules: 'all-linear' } },
  MiSS: { config: { peft_type: 'MISS', r: 8, target_modules: ['query', 'intermediate.dense'] } },
  'MiSS of an odd rank': { config: { peft_type: 'MISS', r: 5, target_modules: ['query'] } },
  SHiRA: { config: { peft_type: 'SHIRA', r: 2, target_modules: ['query', 'intermediate.dense'] } },
  GraLoRA: {
    config: { peft_type: 'GRALORA', r: 12, alpha: 20, gralora_k: 4, target_modules: ['query', 'key'] },
  },
  'LoRA and a head': { config: { peft_type: 'LORA', ...both, modules_to_save: ['head'] }, segmenter: true },
};

const weights = { a: 0.7, b: -0.4 };
const combinations = [
  { weights, combination: 'cat' },
  { weights, combination: 'linear' },
  { weights, combination: 'svd', rank: 3 },
] as const;

describe('adapters shared with PEFT', () => {
  let folder: string;
  let base: string;
  const models = new Map<string, Segmenter>();

  // One Python process does all, since importing PEFT takes the most time.
  before(async function () {
    const python = await needsPython(this, 'torch', TORCH);
    folder = await mkdtemp(join(tmpdir(), 'millrace-peft-'));
    base = join(folder, 'base');
    await mkdir(base);
    const plain = createSegmenter(config, { classes: 3, seed: 7 });
    stir(plain, 'backbone', 0.1);
    await saveBackbone(base, config, plain.parameters);
    plain.dispose();
    const images = { shape: [2, SIZE, SIZE, 3], data: pixels };
    await writeFile(join(base, 'images.safetensors'), safetensorsBytes(new Map([['images', images]])));

    const jobs = [];
    for (const [name, make] of Object.entries(ours))
      for (const [how, options] of forms) {
        const path = join(folder, `${name} ${how}`);
        const model = (await segmenter()).inject(make(), 1);
        stir(model, 'adapter', 0.1);
        await savePeft(model, path, options);
        models.set(path, model);
        jobs.push({ folder: path, segmenter: options.head === 'module' });
      }
    // PEFT 0.20 scales twice before its SVD, as 0.21 does not: the scale is 1 there.
    for (const combine of combinations) {
      const path = join(folder, combine.combination);
      await mkdir(path);
      const model = await segmenter();
      for (const [i, name] of ['a', 'b'].entries()) {
        model.inject(
          lora({
            rank: 4,
            alpha: combine.combination === 'svd' ? 4 : 6 + i,
            layers: i === 0 ? [0, 1, 2] : [0, 2],
          }),
          i,
          { name },
        );
        stir(model, 'adapter', 0.1 + i / 20);
        await savePeft(model, join(path, name), { attribute: '', transformers: 4 });
      }
      const { weights, ...options } = combine;
      models.set(path, combineAdapters(model, 'both', weights, options));
      jobs.push({ folder: path, combine });
    }
    for (const [name, job] of Object.entries(theirs)) jobs.push({ folder: join(folder, name), ...job });
    const script = new URL('peft_twin.py', import.meta.url);
    assert.equal(await python.json(script, [], { base, jobs }), jobs.length);
  });
  after(async () => {
    for (const model of models.values()) model.dispose();
    if (folder) await rm(folder, { recursive: true });
  });

  const segmenter = () => loadSegmenter(base, { classes: 3, seed: 1 });

  /** Tokens and logits of ours against what the script wrote. */
  async function compare(model: Segmenter, path: string): Promise<void> {
    const { tensors } = await readSafetensors(`${path}.safetensors`);
    const images = tensor4d(pixels, [2, SIZE, SIZE, 3]);
    close(model.tokens(images), tensors.get('tokens')!.data as Float32Array, 'tokens');
    const logits = tensors.get('logits');
    if (logits) close(model.forward(images), logits.data as Float32Array, 'logits');
    dispose(images);
  }

  for (const name of Object.keys(ours))
    for (const [how] of forms)
      it(`PEFT loads ours, ${how}: ${name}`, () => {
        const path = join(folder, `${name} ${how}`);
        return compare(models.get(path)!, path);
      });

  for (const { combination } of combinations)
    it(`combines adapters as PEFT does: ${combination}`, () => {
      const path = join(folder, combination);
      return compare(models.get(path)!, path);
    });

  for (const name of Object.keys(theirs))
    it(`we load PEFT's: ${name}`, async () => {
      const path = join(folder, name);
      const model = await loadPeft(await segmenter(), path);
      await compare(model, path).finally(() => model.dispose());
    });

  it('writes a GraLoRA of PEFT as PEFT did', async () => {
    const [path, again] = [join(folder, 'GraLoRA'), join(folder, 'again')];
    const model = await loadPeft(await segmenter(), path);
    await savePeft(model, again, { attribute: '', transformers: 4 });
    model.dispose();
    const read = async (from: string) =>
      JSON.parse(await readFile(join(from, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    const [before, after] = [await read(path), await read(again)];
    for (const field of ['peft_type', 'r', 'alpha', 'gralora_k', 'hybrid_r', 'bias'])
      assert.equal(after[field], before[field], field);
    const tensors = async (from: string) =>
      (await readSafetensors(join(from, 'adapter_model.safetensors'))).tensors;
    assert.deepEqual(
      new Map([...(await tensors(again))].toSorted()),
      new Map([...(await tensors(path))].toSorted()),
    );
  });
});
