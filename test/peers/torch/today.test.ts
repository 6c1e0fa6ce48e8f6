import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, type Tensor4D, tensor, tensor4d } from '@tensorflow/tfjs-core';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import { lora } from '../../../src/adapters/lora.js';
import type { SavePeftOptions } from '../../../src/adapters/peft/peft-files.js';
import { savePeft } from '../../../src/adapters/peft/save-peft.js';
import { UserError } from '../../../src/base/errors.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import type { Adapter } from '../../../src/model/adapter.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { loadSegmenter } from '../../../src/tasks/segmentation/load-segmenter.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { close } from './close.js';
import { TODAY } from './requirements.js';

const config = vitConfig.parse({
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 32,
  image_size: 32,
  patch_size: 8,
});

/** Saved with defaults, but for the attribute and the head that the other side has. */
const adapters: Readonly<Record<string, readonly [() => Adapter, SavePeftOptions]>> = {
  lora: [() => lora({ rank: 2, alpha: 8 }), {}],
  dora: [() => lora({ rank: 2, dora: true, targets: ['output', 'fc1', 'fc2'] }), {}],
  localized: [() => localizedLora({ blocks: 2, blockRank: 2 }), {}],
  'lora for version 5 alone': [() => lora({ rank: 2, layers: [1] }), { transformers: 5 }],
  'lora with the head as a module': [() => lora({ rank: 2 }), { head: 'module' }],
};

const refused: Readonly<Record<string, RegExp>> = {
  beit: /got beit \(/,
  swin: /got swin \(/,
};

describe("today's transformers and PEFT", () => {
  let folder: string;
  let names: string[];
  const models = new Map<string, Segmenter>();

  before(async function () {
    const python = await needsPython(this, 'transformers-5', TODAY);
    folder = await mkdtemp(join(tmpdir(), 'millrace-today-'));
    const base = join(folder, 'ours', 'base');
    await mkdir(base, { recursive: true });
    const plain = createSegmenter(config, { classes: 3, seed: 7 });
    // Saved at another image size than its config's, as the Python side reads it.
    await saveBackbone(base, config, plain.parameters);
    plain.dispose();
    const smaller = await loadSegmenter(base, { classes: 3, seed: 1, imageSize: 16 });
    await saveBackbone(base, smaller.config, smaller.parameters);
    smaller.dispose();
    for (const [name, [make, options]] of Object.entries(adapters)) {
      const model = (await loadSegmenter(base, { classes: 3, seed: 1, batchNorm: true })).inject(make(), 1);
      for (const parameter of [...model.parameters].filter(({ group }) => group !== 'backbone')) {
        const random = randomStream(11, parameter.name);
        const moved = Float32Array.from(parameter.value.dataSync(), (x) => x + 0.1 * normal(random));
        model.parameters.set(parameter.name, tensor(moved, parameter.value.shape));
      }
      await savePeft(model, join(folder, 'ours', name), options);
      models.set(name, model);
    }
    names = await python.json(new URL('today_twin.py', import.meta.url), [join(folder, 'ours'), folder]);
  });
  after(async () => {
    for (const model of models.values()) model.dispose();
    if (folder) await rm(folder, { recursive: true });
  });

  async function compare(model: Segmenter, path: string): Promise<void> {
    const { tensors } = await readSafetensors(path);
    const images: Tensor4D = tensor4d(tensors.get('images')!.data as Float32Array, [2, 16, 16, 3]);
    close(model.tokens(images), tensors.get('tokens')!.data as Float32Array, 'tokens');
    dispose(images);
  }

  it('each checkpoint gives its tokens, or is refused by a sentence', async () => {
    for (const name of names) {
      const load = () => loadSegmenter(join(folder, name), { classes: 3, seed: 1 });
      if (refused[name]) {
        await assert.rejects(
          load(),
          (error) => error instanceof UserError && refused[name]!.test(error.message),
          name,
        );
        continue;
      }
      const model = await load();
      await compare(model, join(folder, name, 'expected.safetensors')).finally(() => model.dispose());
    }
  });

  for (const name of Object.keys(adapters))
    it(`PEFT finds ours: ${name}`, () =>
      compare(models.get(name)!, join(folder, 'ours', `${name}.safetensors`)));
});
