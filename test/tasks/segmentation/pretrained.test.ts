import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, setBackend, type Tensor, tensor4d, tidy, transpose } from '@tensorflow/tfjs-core';
import { useEngine } from '../../../src/engine/engine.js';
import { layerNorm } from '../../../src/engine/ops/layer-norm.js';
import { linear } from '../../../src/engine/ops/linear.js';
import { blocks, type Project } from '../../../src/model/vit/blocks.js';
import { readPretrained } from '../../../src/model/vit/pretrained.js';
import { embed } from '../../../src/model/vit/vit.js';
import { type Classifier, classifierOf } from '../../../src/tasks/classification/classifier.js';
import { need } from '../../engine/tested-engines.js';
import { needsSharedData } from '../../shared-data.js';

/** A float32 array of numpy's .npy format, version 1. */
async function readNpy(path: string): Promise<Float32Array> {
  const bytes = await readFile(path);
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(
    bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length) as ArrayBuffer,
  );
}

/**
 * The tokens before the final norm, and the logits. In two passes, of which the second is the model's own from end to end, or
 * in one that keeps the tokens on its way: a pass takes ten seconds on cpu, and on webgpu without a card.
 */
function outputs(model: Classifier, image: Tensor, inOnePass: boolean) {
  const get = (name: string) => model.parameters.get(name);
  const plain: Project = (layer, target, x) =>
    linear(x, get(`layers.${layer}.${target}.weight`), get(`layers.${layer}.${target}.bias`));
  return tidy(() => {
    const start = embed(model.config, model.parameters, image);
    const last = blocks(model.config, model.parameters, plain, start);
    if (inOnePass)
      model.tokens = () => layerNorm(last, get('norm.weight'), get('norm.bias'), model.config.layer_norm_eps);
    return {
      tokens: last.dataSync() as Float32Array,
      logits: model.forward(image).dataSync() as Float32Array,
    };
  });
}

describe('a real pretrained ViT (DeiT-Tiny)', () => {
  after(() => setBackend('cpu'));

  for (const [engine, images] of [
    ['wasm', [0, 1, 2]],
    ['cpu', [0]],
    ['onednn', [0, 1, 2]],
    ['torch', [0, 1, 2]],
    ['webgpu', [0]],
  ] as const)
    it(`gives the reference's logits and tokens within 1e-4 on ${engine}`, async function () {
      const folder = needsSharedData(this, 'vit_deit_tiny_patch16_224');
      if (engine !== 'wasm' && engine !== 'cpu') await need(engine).call(this);
      await useEngine(engine, { precision: 'f32', device: 'cpu' });
      const expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as {
        logits_first8: number[][];
        logits_sum: number[];
        top1: number[];
        top5: [number, number][][];
        encoder_out_token0_first4: number[][];
        encoder_out_token1_first4: number[][];
        encoder_out_before_final_norm_mean_abs: number[];
      };
      const pretrained = await readPretrained(folder);
      const model = classifierOf(pretrained, { classes: 1000, head: 'keep', seed: 1 });
      for (const i of images) {
        const pixels = await readNpy(join(folder, 'samples', `${i}.npy`));
        const image = tidy(() => transpose(tensor4d(pixels, [1, 3, 224, 224]), [0, 2, 3, 1]));
        const { tokens, logits } = outputs(model, image, engine === 'cpu' || engine === 'webgpu');
        const close = (got: number, want: number, what: string, tolerance = 1e-4) =>
          assert.ok(Math.abs(got - want) <= tolerance, `${what}: expected ${want}, got ${got}`);
        expected.encoder_out_token0_first4[i]!.forEach((want, k) => close(tokens[k]!, want, `token 0, ${k}`));
        expected.encoder_out_token1_first4[i]!.forEach((want, k) =>
          close(tokens[192 + k]!, want, `token 1, ${k}`),
        );
        const meanAbs = tokens.reduce((sum, x) => sum + Math.abs(x), 0) / tokens.length;
        close(meanAbs, expected.encoder_out_before_final_norm_mean_abs[i]!, 'mean |token|');
        expected.logits_first8[i]!.forEach((want, k) => close(logits[k]!, want, `logit ${k}`));
        for (const [k, want] of expected.top5[i]!) close(logits[k]!, want, `logit ${k}`);
        close(
          logits.reduce((a, b) => a + b, 0),
          expected.logits_sum[i]!,
          'sum of 1000 logits',
          0.01,
        );
        dispose(image);
        assert.equal(logits.indexOf(Math.max(...logits)), expected.top1[i]);
      }
      model.dispose();
    });

  it('needs no config.json, for its size is a published one', async function () {
    const folder = needsSharedData(this, 'vit_deit_tiny_patch16_224');
    const alone = await mkdtemp(join(tmpdir(), 'millrace-deit-'));
    const path = join(alone, 'model.safetensors');
    await symlink(join(folder, 'model.safetensors'), path);
    const { config } = await readPretrained(path);
    assert.deepEqual(
      { ...config, layer_norm_eps: 0 },
      { ...(await readPretrained(folder)).config, layer_norm_eps: 0 },
    );
    await rm(alone, { recursive: true });
  });
});
