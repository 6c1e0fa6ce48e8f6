import assert from 'node:assert/strict';
import { engine, setBackend, type Tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { bitFit } from '../../../src/adapters/bitfit.js';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import { lora } from '../../../src/adapters/lora.js';
import { serialLora } from '../../../src/adapters/serial-lora.js';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { randomStream } from '../../../src/random/random-stream.js';
import { crossEntropy } from '../../../src/tasks/segmentation/losses/cross-entropy.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { need, start } from '../../engine/tested-engines.js';

const config = vitConfig.parse({
  hidden_size: 12,
  num_hidden_layers: 4,
  num_attention_heads: 3,
  intermediate_size: 24,
  image_size: 16,
  patch_size: 4,
});

/** The loss and all gradients of one training pass, as numbers, and the most bytes of tensors at one time. */
async function pass(model: Segmenter, random = randomStream(3, 'dropout')) {
  const pixels = Float32Array.from({ length: 4 * 16 * 16 * 3 }, (_, i) => Math.sin(i));
  const classes = Int32Array.from({ length: 4 * 256 }, (_, i) => i % 3);
  const numbers: number[][] = [];
  const { peakBytes } = await engine().profile(() => {
    tidy(() => {
      const images: Tensor = tensor4d(pixels, [4, 16, 16, 3]);
      const masks = tensor3d(classes, [4, 16, 16], 'int32');
      const parameters = model.parameters.trainable();
      const { value, gradients } = valueAndGradients(
        () => crossEntropy()(model.forward(images, { random }), masks),
        parameters.map(({ value }) => value),
      );
      numbers.push([...value.dataSync()]);
      for (const gradient of gradients) numbers.push(gradient ? [...gradient.dataSync()] : []);
    });
  });
  return { numbers, peakBytes, next: random() };
}

const cases: Readonly<Record<string, () => Segmenter>> = {
  'full fine-tuning': () => createSegmenter(config, { classes: 3, seed: 1 }),
  'a head of several blocks': () => createSegmenter(config, { classes: 3, seed: 1, name: 'multiscale' }),
  'lora with dropout': () =>
    createSegmenter(config, { classes: 3, seed: 1 }).inject(lora({ rank: 2, dropout: 0.2 }), 1),
  dora: () => createSegmenter(config, { classes: 3, seed: 1 }).inject(lora({ rank: 2, dora: true }), 1),
  'serial, which computes once for three maps': () =>
    createSegmenter(config, { classes: 3, seed: 1 }).inject(serialLora({ rank: 2, dropout: 0.2 }), 1),
  'localized, in two blocks': () =>
    createSegmenter(config, { classes: 3, seed: 1 }).inject(
      localizedLora({ blocks: 2, blockRank: 2, layers: [1, 2] }),
      1,
    ),
  'biases of the backbone': () => createSegmenter(config, { classes: 3, seed: 1 }).inject(bitFit(), 1),
};

describe('checkpointBlocks', () => {
  for (const [name, precision] of [
    ['wasm', 'f32'],
    ['onednn', 'bf16'],
  ] as const)
    describe(name, () => {
      before(need(name));
      afterEach(() => setBackend('cpu'));

      it('has the same gradients bit for bit', async () => {
        await start(name, { precision });
        const model = cases['lora with dropout']!().trainsWith({ dropPath: 0.4 });
        const kept = await pass(model);
        const again = await pass(model.trainsWith({ dropPath: 0.4, checkpointBlocks: true }));
        assert.deepEqual(again.numbers, kept.numbers);
        model.dispose();
      });
    });

  for (const [name, make] of Object.entries(cases))
    it(`has the same loss and gradients bit for bit with less memory: ${name}`, async () => {
      const model = make();
      for (const dropPath of [0, 0.4]) {
        const kept = await pass(model.trainsWith({ dropPath }));
        const again = await pass(model.trainsWith({ dropPath, checkpointBlocks: true }));
        assert.deepEqual(again.numbers, kept.numbers);
        assert.equal(again.next, kept.next, 'what is drawn afterwards');
        assert.ok(again.peakBytes < kept.peakBytes, `${again.peakBytes} of ${kept.peakBytes} bytes`);
      }
      model.dispose();
    });

  it('has nothing to do where the model is scored', () => {
    const model = createSegmenter(config, { classes: 3, seed: 1 }).trainsWith({ checkpointBlocks: true });
    const images = tensor4d(new Float32Array(16 * 16 * 3), [1, 16, 16, 3]);
    const logits = model.forward(images);
    assert.deepEqual(logits.shape, [1, 16, 16, 3]);
    logits.dispose();
    images.dispose();
    model.dispose();
  });

  it('refuses a stream that cannot be drawn from again', async () => {
    const model = createSegmenter(config, { classes: 3, seed: 1 }).trainsWith({ checkpointBlocks: true });
    await assert.rejects(
      pass(model, () => 0.5),
      /checkpointBlocks: expected a pass whose random stream has copy\(\), as randomStream has/,
    );
    model.dispose();
  });
});
