import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor, tensor4d } from '@tensorflow/tfjs-core';
import { lora } from '../../../src/adapters/lora.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { safetensorsBytes } from '../../../src/files/safetensors-format.js';
import { AdapterStart } from '../../../src/model/vit/adapter-start.js';
import { vitConfig } from '../../../src/model/vit/config.js';
import { saveBackbone } from '../../../src/model/vit/save-backbone.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { createSegmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { needsPython } from '../python.js';
import { INTEROP } from './requirements.js';

// Inputs of twice the rank, of which PEFT's randomised decomposition finds all, exactly.
const [SIZE, RANK, WIDTH] = [16, 4, 8];
const config = vitConfig.parse({
  hidden_size: WIDTH,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: WIDTH,
  image_size: SIZE,
  patch_size: 4,
});
const MAPS = { query: 'q_proj', value: 'v_proj', output: 'o_proj', fc1: 'fc1', fc2: 'fc2' } as const;
type Map = keyof typeof MAPS;

/** AᵀA of A [rank, inputs], row-major: the projection onto the span of its orthonormal rows. */
function projection(a: (k: number, i: number) => number): Float64Array {
  return Float64Array.from({ length: WIDTH * WIDTH }, (_, at) => {
    const [i, j] = [Math.floor(at / WIDTH), at % WIDTH];
    return Array.from({ length: RANK }, (_x, k) => a(k, i) * a(k, j)).reduce((x, y) => x + y);
  });
}

describe('EVA and PEFT', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-eva-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('starts A in the subspaces of initialize_lora_eva_weights', async function () {
    const python = await needsPython(this, 'interop', INTEROP);
    const random = randomStream(5, 'images');
    const shape = [6, SIZE, SIZE, 3] as const;
    const pixels = Float32Array.from({ length: 6 * SIZE * SIZE * 3 }, () => normal(random));
    const model = createSegmenter(config, { classes: 3, seed: 7 });
    // Weights as large as after training, so that the directions of the inputs differ in strength.
    for (const { name, group, value } of model.parameters)
      if (group === 'backbone') {
        const chance = randomStream(3, name);
        const moved = Float32Array.from(value.dataSync(), (x) => x + 0.3 * normal(chance));
        model.parameters.set(name, tensor(moved, value.shape));
      }
    await saveBackbone(folder, config, model.parameters);
    const file = safetensorsBytes(new Map([['images', { shape: [...shape], data: pixels }]]));
    await writeFile(join(folder, 'images.safetensors'), file);
    await python.text(new URL('eva_twin.py', import.meta.url), [folder, ...Object.values(MAPS)]);

    const targets = Object.keys(MAPS) as Map[];
    const start = new AdapterStart(model.inject(lora({ rank: RANK, init: 'eva', targets }), 1));
    const images = tensor4d(pixels, [...shape]);
    await start.add(images);
    start.finish();
    const { tensors } = await readSafetensors(join(folder, 'eva.safetensors'));
    assert.equal(tensors.size, 3 * targets.length);
    for (const [name, { data }] of tensors) {
      const [, layer, module] = /layers?\.(\d)\.\w+\.(\w+)\.lora_A/.exec(name) ?? assert.fail(name);
      const map = targets.find((one) => MAPS[one] === module)!;
      const ours = model.parameters.get(`layers.${layer}.${map}.lora_A`).dataSync();
      const expected = projection((k, i) => Number(data[k * WIDTH + i]));
      projection((k, i) => ours[i * RANK + k]!).forEach((x, at) =>
        assert.ok(Math.abs(x - expected[at]!) < 1e-4, `${name}: ${x}, expected ${expected[at]}`),
      );
    }
    for (const one of [images, model]) one.dispose();
  });
});
