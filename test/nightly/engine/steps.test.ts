import assert from 'node:assert/strict';
import { dispose, memory, setBackend, tensor } from '@tensorflow/tfjs-core';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import type { Batch } from '../../../src/data/batch.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { logCoshDice } from '../../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { adamW } from '../../../src/train/optimizers/adam.js';
import { Training } from '../../../src/train/training.js';
import { collectGarbage } from '../../collect-garbage.js';
import { need, start } from '../../engine/tested-engines.js';

const config = {
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  layer_norm_eps: 1e-6,
  image_size: 8,
  patch_size: 4,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

/** How many steps are trained; MILLRACE_STEPS sets another number. */
const STEPS = Number(process.env['MILLRACE_STEPS'] ?? 5000);

/** Images, masks, and a plan that says which step they are for. */
function batch(position: number): Batch {
  const random = randomStream(1, 'steps', position % 16);
  const images = Float32Array.from({ length: 8 * 8 * 3 }, () => normal(random));
  const masks = Int32Array.from({ length: 8 * 8 }, (_, i) => i % 3);
  const inputs = tensor(images, [1, 8, 8, 3]);
  const targets = tensor(masks, [1, 8, 8], 'int32');
  const plan = { position, samples: [] };
  return { plan, inputs, targets, dispose: () => dispose([inputs, targets]) } as unknown as Batch;
}

const megabytes = () => process.memoryUsage().rss / 2 ** 20;

for (const engine of ['torch', 'onednn', 'tensorflow'] as const)
  describe(`a long training on the ${engine} engine`, () => {
    before(need(engine));
    after(() => setBackend('cpu'));

    it(`${STEPS} steps keep as many tensors and as much memory as the first thousand`, async () => {
      await start(engine, { precision: 'f32', threads: 1 });
      const model = createSegmenter(config, { classes: 3, seed: 1 });
      model.inject(localizedLora({ blocks: 2, blockRank: 2 }), 1);
      const training = new Training({
        model,
        loss: logCoshDice(),
        optimizer: adamW(),
        learningRate: 1e-3,
        seed: 1,
      });
      const counts: number[] = [];
      const sizes: number[] = [];
      for (let step = 0; step < STEPS; step++) {
        const next = batch(step);
        await training.step(next);
        next.dispose();
        if (step % Math.ceil(STEPS / 20) === 0 || step === STEPS - 1) {
          collectGarbage();
          counts.push(memory().numTensors);
          sizes.push(Math.round(megabytes()));
        }
      }
      console.log(`      tensors ${counts[1]} → ${counts.at(-1)}; resident MB ${sizes.join(' ')}`);
      training.dispose();
      model.dispose();
      // The first step makes what lives on.
      assert.deepEqual(new Set(counts.slice(1)), new Set([counts[1]]));
      const early = Math.max(...sizes.slice(0, 5));
      assert.ok(sizes.at(-1)! < early + 48, `resident memory grew from ${early} to ${sizes.at(-1)} MB`);
    });
  });
