import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import { loadPeft } from '../../src/adapters/peft/load-peft.js';
import { oneRun } from '../../src/experiment/one-run.js';
import { loadTrained } from '../../src/experiment/trained-runs.js';
import type { VitConfig } from '../../src/model/vit/config.js';
import { randomStream } from '../../src/random/random-stream.js';
import { loadSegmenter } from '../../src/tasks/segmentation/load-segmenter.js';
import { close } from '../peers/torch/close.js';
import { assertSameRun, killedRuns, models, resumable, unbrokenRun } from './killed-runs.js';
import { run } from './run.js';
import { tinyBackbone } from './tiny-backbone.js';

const FAMILIES: Readonly<Record<string, Partial<VitConfig>>> = {
  CLIP: { pre_norm: true, hidden_act: 'quick_gelu' },
  SigLIP: { class_token: false, hidden_act: 'gelu_pytorch_tanh' },
  'DINOv2 with registers and gates': {
    num_register_tokens: 2,
    use_gated_mlp: true,
    hidden_act: 'silu',
    intermediate_size: 32,
  },
  DINOv3: { rope_theta: 100, num_register_tokens: 2 },
};

describe('a run on an encoder of another family', () => {
  for (const [family, features] of Object.entries(FAMILIES))
    it(`${family}: resumes to the same bits, and its exports come back`, async () => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-'));
      try {
        mkdirSync(join(dir, 'own'));
        const backbone = await tinyBackbone(join(dir, 'own'), features);
        const flags = await resumable(dir, `--model-name=${backbone}`, '--epochs=4', '--scales=1');
        const unbroken = await unbrokenRun(dir, flags);
        const { folders, later } = await killedRuns(dir, flags, [{ more: 8, type: 'checkpoint', ms: 0 }]);
        for (const cwd of folders) await assertSameRun(cwd, unbroken);
        assert.equal(later, 1);
        for (const format of ['hf', 'adapter', 'onnx']) {
          const more = [`--model-dir=${models(unbroken)}`, `--format=${format}`, `--output-dir=${format}`];
          const { code, stderr } = await run('export', [...more, '--engine=wasm'], dir);
          assert.deepEqual([code, stderr], [0, '']);
        }
        const trained = await loadTrained(await oneRun(models(unbroken), {}));
        const merged = await loadSegmenter(join(dir, 'hf'), { classes: 3, seed: 1 });
        const base = await loadSegmenter(backbone, { classes: 3, seed: 1, batchNorm: true });
        const adapted = await loadPeft(base, join(dir, 'adapter'));
        const random = randomStream(1, family);
        const numbers = Float32Array.from({ length: 2 * 16 * 16 * 3 }, () => 2 * random() - 1);
        tidy(() => {
          const images = tensor(numbers, [2, 16, 16, 3]);
          const tokens = trained.tokens(images).dataSync() as Float32Array;
          close(merged.tokens(images), tokens, 'tokens');
          close(adapted.forward(images), trained.forward(images).dataSync() as Float32Array, 'logits');
        });
        for (const model of [trained, merged, adapted]) model.dispose();
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
});
