import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, tensor, tidy } from '@tensorflow/tfjs-core';
import { TORCH } from '../../../bench/peers/torch.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { type Safetensors } from '../../../src/files/safetensors-format.js';
import { loadClassifier } from '../../../src/tasks/classification/classifier.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { needsPython } from '../python.js';
import { close } from './close.js';

describe('a checkpoint that transformers saved', () => {
  let folder: string;
  let tensors: Safetensors['tensors'];
  before(async function () {
    const python = await needsPython(this, 'torch', TORCH);
    folder = await mkdtemp(join(tmpdir(), 'millrace-vit-'));
    await python.json(new URL('vit_twin.py', import.meta.url), [folder]);
    tensors = (await readSafetensors(join(folder, 'expected.safetensors'))).tensors;
  });
  after(async () => {
    if (folder) await rm(folder, { recursive: true });
  });
  const torch = (name: string) => tensors.get(name)!.data as Float32Array;

  for (const [name, width, height] of [
    ['own', 32, 32],
    ['larger', 56, 56],
    ['wide', 64, 24],
  ] as const)
    it(`gives its tokens at ${width} × ${height} pixels`, async () => {
      const model = await loadSegmenter(folder, { classes: 3, seed: 1, imageSize: { width, height } });
      const images = tensor(torch(`images/${name}`), [2, height, width, 3]);
      close(model.tokens(images), torch(`tokens/${name}`), 'tokens');
      dispose(images);
      model.dispose();
    });

  it("gives its classifier's logits", async () => {
    const model = await loadClassifier(folder, {
      classes: torch('logits').length / 2,
      head: 'keep',
      seed: 1,
    });
    const images = tensor(torch('images/own'), [2, 32, 32, 3]);
    close(
      tidy(() => model.forward(images)),
      torch('logits'),
      'logits',
    );
    dispose(images);
    model.dispose();
  });
});
