import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, tensor } from '@tensorflow/tfjs-core';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { needsPython } from '../python.js';
import { close } from '../torch/close.js';
import { INTEROP } from './requirements.js';

const FAMILIES = [
  'dinov2',
  'dinov2-registers',
  'deit-distilled',
  'vit-unbiased',
  'vit-msn',
  ...['gelu_new', 'gelu_fast', 'gelu_pytorch_tanh', 'quick_gelu', 'relu', 'silu'].map((act) => `vit-${act}`),
  'dinov2-gated',
  'dinov3',
  'dinov3-gated',
  'ijepa',
  'siglip',
  'siglip-full',
  'clip',
  'clip-full',
  'vit-mae',
  'vit-mae-full',
  'timm-registers',
  'timm-layer-scale',
  'timm-distilled',
  ...['clip', 'quick-clip', 'siglip', 'tanh-siglip', 'gated', 'gated-registers'].map((one) => `timm-${one}`),
  ...['dinov3', 'dinov3-biased', 'dinov3-gated'].map((one) => `timm-${one}`),
  'pickled-state',
  'pickled-shards',
  'pickled-training',
];

describe('tiny models of other families', () => {
  let dir: string;
  before(async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    dir = await mkdtemp(join(tmpdir(), 'millrace-families-'));
    await python.text(new URL('families_twin.py', import.meta.url), [dir]);
  });
  after(async () => {
    if (dir) await rm(dir, { recursive: true });
  });

  for (const name of FAMILIES)
    it(`${name}: our tokens are theirs`, async () => {
      const { tensors } = await readSafetensors(join(dir, name, 'expected.safetensors'));
      const file = name.startsWith('timm')
        ? 'model.safetensors'
        : name.endsWith('training')
          ? 'model.pth'
          : '';
      const model = await loadSegmenter(join(dir, name, file), {
        classes: 3,
        seed: 1,
      });
      const images = tensor(tensors.get('images')!.data as Float32Array, [2, 28, 28, 3]);
      close(model.tokens(images), tensors.get('tokens')!.data as Float32Array, 'tokens');
      dispose(images);
      model.dispose();
    });
});
