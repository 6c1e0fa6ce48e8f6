import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { readSafetensors, type StoredTensor, safetensorsBytes } from '../../src/files/safetensors.js';
import { normal, randomStream } from '../../src/random.js';
import type { VitConfig } from '../../src/vit/config.js';
import { saveBackbone } from '../../src/vit/save-backbone.js';
import { createSegmenter, loadSegmenter, type Segmenter } from '../../src/vit/segmenter.js';
import { readPretrained } from '../../src/vit/source.js';

// A head of 64, as published ViTs have, so that the shape can be read off the tensors.
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
    const side = model.imageSize;
    const data = Float32Array.from({ length: side * side * 3 }, () => normal(random));
    const images: Tensor = tensor(data, [1, side, side, 3]);
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

  for (const [name, respell] of Object.entries(spellings))
    for (const withConfig of [true, false])
      it(`${name}, ${withConfig ? 'with' : 'without'} config.json: the same tokens`, async () => {
        const place = join(folder, `${name} ${withConfig}`);
        await mkdir(place);
        const path = join(place, 'model.safetensors');
        await writeFile(path, safetensorsBytes(respell(tensors)));
        if (withConfig) await writeFile(join(place, 'config.json'), JSON.stringify(config));
        const model = await loadSegmenter(withConfig ? place : path, { classes: 3, seed: 1 });
        // Without config.json the ε of LayerNorm follows the spelling: timm's is that of this model.
        const same = withConfig || name === 'timm';
        assert.equal(model.config.layer_norm_eps, same ? 1e-6 : 1e-12);
        assert.deepEqual({ ...model.config, layer_norm_eps: 1e-6 }, config);
        const got = tokens(model);
        const worst = Math.max(...expected.map((x, i) => Math.abs(x - got[i]!)));
        assert.ok(same ? worst === 0 : worst < 1e-4, `off by ${worst}`);
        model.dispose();
      });

  it('another image size: the tokens of a backbone whose positions are of that size', async () => {
    const model = await loadSegmenter(folder, { classes: 3, seed: 1, imageSize: 20 });
    assert.deepEqual(model.parameters.get('positions').shape, [1, 26, 64]);
    assert.equal(tokens(model).length, 26 * 64);
    model.dispose();
    await assert.rejects(
      loadSegmenter(folder, { classes: 3, seed: 1, imageSize: 21 }),
      /image size: expected a multiple of the patch size 4, got 21/,
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
