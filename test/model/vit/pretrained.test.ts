import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dispose, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { UserError } from '../../../src/base/errors.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { type StoredTensor, safetensorsBytes } from '../../../src/files/safetensors-format.js';
import type { VitConfig } from '../../../src/model/vit/config.js';
import { readPretrained } from '../../../src/model/vit/pretrained.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';

const config: VitConfig = {
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 1,
  intermediate_size: 80,
  layer_norm_eps: 1e-6,
  image_size: 12,
  patch_size: 4,
  hidden_act: 'gelu',
  num_channels: 3,
};
type Tensors = Map<string, StoredTensor>;
const mapNames = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  new Map([...tensors].map(([name, value]) => [rename(name), value]));

/** What a bare ViTModel of transformers before version 5 is called, in the other spellings. */
const spellings: Readonly<Record<string, (tensors: Tensors) => Tensors>> = {
  'transformers 4, a bare model': (tensors) => tensors,
  'transformers 4, a classifier': (tensors) => mapNames(tensors, (name) => `vit.${name}`),
  'transformers 5': (tensors) =>
    mapNames(tensors, (name) =>
      name
        .replace('encoder.layer.', 'layers.')
        .replace(/attention\.attention\.(q|k|v)\w+/, 'attention.$1_proj')
        .replace('attention.output.dense', 'attention.o_proj')
        .replace('intermediate.dense', 'mlp.fc1')
        .replace(/(layers\.\d+\.)output\.dense/, '$1mlp.fc2'),
    ),
  timm: (tensors) => {
    const renamed = mapNames(tensors, (name) =>
      name
        .replace('embeddings.cls_token', 'cls_token')
        .replace('embeddings.position_embeddings', 'pos_embed')
        .replace('embeddings.patch_embeddings.projection', 'patch_embed.proj')
        .replace('encoder.layer.', 'blocks.')
        .replace('attention.output.dense', 'attn.proj')
        .replace('intermediate.dense', 'mlp.fc1')
        .replace('output.dense', 'mlp.fc2')
        .replace('layernorm_before', 'norm1')
        .replace('layernorm_after', 'norm2')
        .replace('layernorm', 'norm'),
    );
    for (let layer = 0; layer < config.num_hidden_layers; layer++)
      for (const kind of ['weight', 'bias']) {
        const parts = ['query', 'key', 'value'].map((part) => {
          const name = `blocks.${layer}.attention.attention.${part}.${kind}`;
          const found = renamed.get(name)!;
          renamed.delete(name);
          return found;
        });
        const [rows, ...rest] = parts[0]!.shape as [number, ...number[]];
        const data = Float32Array.from(parts.flatMap((part) => [...part.data]));
        renamed.set(`blocks.${layer}.attn.qkv.${kind}`, { dtype: 'F32', shape: [3 * rows, ...rest], data });
      }
    return renamed;
  },
};

describe('readPretrained', () => {
  let folder: string;
  let original: Segmenter;
  let tensors: Tensors;
  let expected: Float32Array;

  const tokens = (model: Segmenter): Float32Array => {
    const random = randomStream(5, 'images');
    const { width, height } = model.imageSize;
    const data = Float32Array.from({ length: width * height * 3 }, () => normal(random));
    const images: Tensor = tensor(data, [1, height, width, 3]);
    const result = model.tokens(images);
    const values = result.dataSync().slice() as Float32Array;
    dispose([images, result]);
    return values;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-source-'));
    original = createSegmenter(config, { classes: 3, seed: 7 });
    for (const { name, value } of original.parameters) {
      const random = randomStream(11, name);
      const moved = Float32Array.from(value.dataSync(), (x) => x + 0.1 * normal(random));
      original.parameters.set(name, tensor(moved, value.shape));
    }
    await saveBackbone(folder, config, original.parameters);
    tensors = new Map((await readSafetensors(join(folder, 'model.safetensors'))).tensors);
    expected = tokens(original);
    original.dispose();
  });
  after(() => rm(folder, { recursive: true }));

  /** A folder with a model.safetensors, and a config.json where there is one. */
  const folderOf = async (name: string, weights: Tensors, config?: object) => {
    const place = join(folder, name);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'model.safetensors'), safetensorsBytes(weights));
    if (config) await writeFile(join(place, 'config.json'), JSON.stringify(config));
    return place;
  };
  const sameTokens = async (place: string) => {
    const model = await loadSegmenter(place, { classes: 3, seed: 1 });
    assert.deepEqual(model.config, config);
    assert.deepEqual(tokens(model), expected);
    model.dispose();
  };

  for (const [name, respell] of Object.entries(spellings)) {
    it(`${name}, with config.json: the same tokens`, async () => {
      await sameTokens(await folderOf(name, respell(tensors), config));
    });

    it(`${name}, without config.json: asks for the heads, and takes the answer`, async () => {
      const place = await folderOf(`${name} alone`, respell(tensors));
      const epsilon = name === 'timm' ? 1e-6 : 1e-12;
      await assert.rejects(readPretrained(join(place, 'model.safetensors')), (error: Error) => {
        assert(error instanceof UserError, error.stack);
        const asked = /width 64 do not tell the number of heads; write it with that number: (.*)$/.exec(
          error.message,
        );
        const wanted = JSON.parse(asked![1]!) as Record<string, unknown>;
        const { hidden_act: _, num_channels: __, ...shape } = config;
        assert.deepEqual(wanted, {
          model_type: 'vit',
          ...shape,
          num_attention_heads: '…',
          layer_norm_eps: epsilon,
        });
        return true;
      });
      await writeFile(join(place, 'config.json'), JSON.stringify({ model_type: 'vit', ...config }));
      await sameTokens(place);
    });
  }

  for (const holder of ['deit.', 'module.', 'model.', 'backbone.', '_orig_mod.', 'module.backbone.vit.'])
    it(`takes ${holder} off the names`, async () => {
      const names = holder.startsWith('m') ? spellings['timm']! : spellings['transformers 5']!;
      const held = mapNames(names(tensors), (name) => holder + name);
      await sameTokens(await folderOf(holder, held, config));
    });

  it('reads shards by their index', async () => {
    const place = join(folder, 'shards');
    await mkdir(place);
    const names = [...tensors.keys()];
    const shards = new Map([
      ['one.safetensors', names.filter((_, i) => i % 2 === 0)],
      ['two.safetensors', names.filter((_, i) => i % 2 === 1)],
    ]);
    const index: Record<string, string> = {};
    for (const [file, part] of shards) {
      await writeFile(
        join(place, file),
        safetensorsBytes(new Map(part.map((name) => [name, tensors.get(name)!]))),
      );
      for (const name of part) index[name] = file;
    }
    const write = (map: unknown) =>
      writeFile(join(place, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    await writeFile(join(place, 'config.json'), JSON.stringify(config));
    await write(index);
    await sameTokens(place);
    const refused: [unknown, RegExp][] = [
      [
        { ...index, more: 'one.safetensors' },
        /index\.json: expected an index of shards, .* got no more in one/,
      ],
      [{ ...index, more: 'three.safetensors' }, /three\.safetensors: .* got nothing there/],
      [{ a: '../one.safetensors' }, /got a in "\.\.\/one\.safetensors"/],
      [undefined, /got no weight_map/],
    ];
    for (const [map, message] of refused) {
      await write(map);
      await assert.rejects(readPretrained(place), message);
    }
  });

  it('a square as two numbers, and no biases of query, key and value', async () => {
    const bare = new Map([...tensors].filter(([name]) => !/(query|key|value)\.bias$/.test(name)));
    const written = { ...config, model_type: 'vit', image_size: [12, 12], patch_size: [4, 4] };
    const place = await folderOf('bare', bare, { ...written, qkv_bias: false });
    const zeros = (stored: StoredTensor) => ({ ...stored, data: new Float32Array(stored.data.length) });
    const zeroed = new Map(
      [...tensors].map(([name, stored]) => [name, bare.has(name) ? stored : zeros(stored)]),
    );
    const models = [place, await folderOf('zeroed', zeroed, written)].map((path) =>
      loadSegmenter(path, { classes: 3, seed: 1 }),
    );
    const [got, wanted] = await Promise.all(models);
    assert.deepEqual(tokens(got!), tokens(wanted!));
    for (const model of [got!, wanted!]) model.dispose();
    await folderOf('bare', bare, written);
    await assert.rejects(
      readPretrained(place),
      /expected layers\.0\.query\.bias .* must say "qkv_bias": false/,
    );
    await folderOf('bare', tensors, { ...written, qkv_bias: false });
    await assert.rejects(
      readPretrained(place),
      /config\.json: qkv_bias: expected true for the 6 of .* got false/,
    );
    await folderOf('bare', tensors, { ...written, image_size: [12, 16] });
    await assert.rejects(
      readPretrained(place),
      /expected positions of shape \[1, 13, 64\], got \[1, 10, 64\]/,
    );
  });

  it("reads timm's own config.json: heads, mean and std", async () => {
    // Made by golden/make_timm.py.
    const place = fileURLToPath(new URL('golden/timm', import.meta.url));
    const model = await loadSegmenter(place, { classes: 3, seed: 1 });
    const { tensors: golden } = await readSafetensors(join(place, 'expected.safetensors'));
    const images = tensor(golden.get('images')!.data, [1, 8, 8, 3]) as Tensor;
    const result = model.tokens(images);
    const [got, want] = [result.dataSync(), golden.get('tokens')!.data];
    const worst = Math.max(...want.map((x, i) => Math.abs(x - got[i]!)));
    assert.ok(got.length === want.length && worst < 1e-5, `off by ${worst}`);
    assert.deepEqual([model.config.num_attention_heads, model.config.layer_norm_eps], [2, 1e-6]);
    assert.deepEqual(model.normalization, { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
    dispose([images, result]);
    model.dispose();

    const read = async (name: string) => JSON.parse(await readFile(join(place, name), 'utf8')) as object;
    const file = (await read('config.json')) as Record<string, object>;
    const weights = new Map((await readSafetensors(join(place, 'model.safetensors'))).tensors);
    const changed: [object, RegExp][] = [
      [
        { ...file, architecture: 'vit_base_patch16_rope_224' },
        /architecture: expected one of .* got "vit_base_patch16_rope/,
      ],
      [{ ...file, architecture: 'vit_tiny_patch16_siglip_224' }, /expected no cls, as config\.json says/],
      [
        { ...file, model_args: { ...file['model_args'], act_layer: 'mish' } },
        /model_args\.act_layer: .*mish/,
      ],
      [
        { ...file, model_args: { embed_dim: 8, num_heads: 2 } },
        /expected the depth 12 of vit_tiny\w+, got tensors of 1/,
      ],
      [{ ...file, model_args: { depth: 1 } }, /expected the embed_dim 192 of vit_tiny\w+, got tensors of 8/],
      [
        { ...file, model_args: { ...file['model_args'], num_heads: 3 } },
        /num_attention_heads: expected a divisor/,
      ],
      [{ ...file, pretrained_cfg: { input_size: [3, 8, 16] } }, /input_size: expected square images/],
      [
        { ...file, pretrained_cfg: { mean: [0.5], std: [1] } },
        /pretrained_cfg\.mean: expected a number for each of 3/,
      ],
    ];
    for (const [config, message] of changed)
      await assert.rejects(readPretrained(await folderOf('timm changed', weights, config)), message);
  });

  it('refuses configs of other models, and impossible values', async () => {
    const vit = { ...config, model_type: 'vit' };
    const refused: [unknown, RegExp][] = [
      [
        { ...vit, model_type: 'swin' },
        /model_type: expected a ViT \(vit, .* got swin \(Swin, which attends in win/,
      ],
      [{ ...vit, model_type: 'beit' }, /got beit \(BEiT, which has relative positions/],
      [{ ...vit, model_type: 'clip' }, /biases: expected true for the 1 of .* got false/],
      [{ ...vit, model_type: 'siglip_vision_model' }, /expected no cls, as config\.json says/],
      [{ ...vit, model_type: 'dinov3_vit' }, /biases: expected true for the 2 of/],
      [{ ...vit, model_type: 'vitt' }, /got "vitt"; did you mean vit\?/],
      [{ ...vit, model_type: 7 }, /got "7"/],
      [{ ...vit, hidden_act: 'mish' }, /hidden_act: expected one of gelu, gelu_new, .*, got "mish"/],
      [{ ...vit, num_attention_heads: 3 }, /num_attention_heads: expected a divisor of hidden_size/],
      [{ ...vit, num_hidden_layers: 99_999_999_999 }, /expected 99999999999 blocks, .* got tensors of 2/],
      [{ ...vit, num_hidden_layers: 1 }, /expected 1 blocks, .* got tensors of 2/],
      [
        { ...vit, hidden_size: 2 ** 50, num_attention_heads: 1 },
        /expected cls of shape \[1, 1, 1125899906842624\]/,
      ],
      [{ ...vit, image_size: 2 ** 50 }, /expected positions of shape/],
      [{}, /expected a ViT of transformers \(model_type\) or timm \(architecture\), got neither/],
      [[], /config\.json: expected an object of JSON, got \[\]/],
    ];
    for (const [given, message] of refused)
      await assert.rejects(readPretrained(await folderOf('refused', tensors, given as object)), message);
  });

  it('says how to convert a pickle that it cannot read, and what a folder holds instead', async () => {
    for (const name of ['pytorch_model.bin', 'checkpoint.pth']) {
      const place = join(folder, `with ${name}`);
      await mkdir(place);
      await writeFile(join(place, name), 'PK');
      for (const given of [...(name === 'pytorch_model.bin' ? [place] : []), join(place, name)])
        await assert.rejects(
          readPretrained(given),
          (error: Error) =>
            error instanceof UserError &&
            error.message.includes(
              'expected a checkpoint of torch.save with tensors alone, got no archive',
            ) &&
            error.message.includes('convert it in Python: import torch'),
        );
    }
    const place = join(folder, 'other name');
    await mkdir(place);
    await assert.rejects(
      readPretrained(place),
      /model\.safetensors: expected a whole safetensors file, got nothing there; fetch it/,
    );
    await writeFile(join(place, 'vit.safetensors'), '');
    await assert.rejects(readPretrained(place), /got nothing there; name vit\.safetensors beside it/);
  });

  it('another image size: the tokens of a backbone whose positions are of that size', async () => {
    const model = await loadSegmenter(folder, { classes: 3, seed: 1, imageSize: 20 });
    assert.deepEqual(model.parameters.get('positions').shape, [1, 26, 64]);
    assert.equal(tokens(model).length, 26 * 64);
    model.dispose();
    await assert.rejects(
      loadSegmenter(folder, { classes: 3, seed: 1, imageSize: 21 }),
      /image size: expected a multiple of the patch size 4, got 21; the nearest are 20 and 24: see --image-size/,
    );
  });

  it('saves a backbone of another image size and other statistics, which reads back as it was', async () => {
    const place = join(folder, 'saved');
    await mkdir(place);
    const given = await folderOf('half', tensors, config);
    const half = { image_mean: [0.5, 0.4, 0.3], image_std: [0.5, 0.6, 0.7] };
    await writeFile(join(given, 'preprocessor_config.json'), JSON.stringify(half));
    const model = await loadSegmenter(given, { classes: 3, seed: 1, imageSize: 24 });
    const { normalization } = model;
    assert.deepEqual(normalization, { mean: half.image_mean, std: half.image_std });
    await saveBackbone(place, model.config, model.parameters, { normalization });
    const again = await loadSegmenter(place, { classes: 3, seed: 1 });
    assert.deepEqual(
      [again.imageSize, again.config],
      [
        { width: 24, height: 24 },
        { ...config, image_size: 24 },
      ],
    );
    assert.deepEqual(again.normalization, normalization);
    assert.deepEqual(tokens(again), tokens(model));
    for (const one of [model, again]) one.dispose();
  });

  it('a rectangle: positions interpolated, saved as [height, width], and read back as it was', async () => {
    const place = join(folder, 'wide');
    await mkdir(place);
    const imageSize = { width: 32, height: 8 };
    const model = await loadSegmenter(folder, { classes: 3, seed: 1, imageSize });
    // 8 × 2 patches are as many as 4 × 4: the number of positions alone does not say which.
    assert.deepEqual(model.parameters.get('positions').shape, [1, 17, 64]);
    const logits = tidy(() => model.forward(tensor(new Float32Array(32 * 8 * 3), [1, 8, 32, 3])));
    assert.deepEqual(logits.shape, [1, 8, 32, 3]);
    await saveBackbone(place, model.config, model.parameters);
    const written = JSON.parse(await readFile(join(place, 'config.json'), 'utf8'));
    assert.deepEqual(written.image_size, [8, 32]);
    const again = await loadSegmenter(place, { classes: 3, seed: 1 });
    assert.deepEqual(again.imageSize, imageSize);
    assert.deepEqual(tokens(again), tokens(model));
    dispose(logits);
    for (const one of [model, again]) one.dispose();
    await assert.rejects(
      loadSegmenter(folder, { classes: 3, seed: 1, imageSize: { width: 30, height: 9 } }),
      /image size: expected width and height to be multiples of the patch size 4, got 30x9; the nearest are 28x8 and 32x12/,
    );
  });

  it('says which tensor is missing or of another shape', async () => {
    const name = 'encoder.layer.1.intermediate.dense.weight';
    const broken = async (change: (tensors: Tensors) => void) => {
      const place = join(folder, 'broken');
      await mkdir(place, { recursive: true });
      const copy = new Map(tensors);
      change(copy);
      await writeFile(join(place, 'model.safetensors'), safetensorsBytes(copy));
      await writeFile(join(place, 'config.json'), JSON.stringify(config));
      return loadSegmenter(place, { classes: 3, seed: 1 });
    };
    await assert.rejects(
      broken((copy) => copy.delete(name)),
      /expected layers\.1\.fc1\.weight of a ViT, got no such/,
    );
    await assert.rejects(
      broken((copy) => copy.set(name, { ...copy.get(name)!, shape: [64, 80] })),
      /layers\.1\.fc1\.weight of shape \[80, 64\], got \[64, 80\]/,
    );
    await assert.rejects(readPretrained(join(folder, 'nothing')), /expected a folder, a \.safetensors file/);
  });
});
