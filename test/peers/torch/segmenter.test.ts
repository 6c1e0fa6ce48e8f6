import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dispose, setBackend, type Tensor, tensor, tensor3d, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { type Python } from '../../../bench/peers/python.js';
import { TORCH } from '../../../bench/peers/torch.js';
import { localizedLora } from '../../../src/adapters/localized-lora.js';
import { lora } from '../../../src/adapters/lora.js';
import { serialLora } from '../../../src/adapters/serial-lora.js';
import type { Batch } from '../../../src/data/batch.js';
import { useEngine } from '../../../src/engine/engine.js';
import { valueAndGradients } from '../../../src/engine/value-and-gradients.js';
import { readSafetensors } from '../../../src/files/safetensors.js';
import { type StoredTensor, safetensorsBytes } from '../../../src/files/safetensors-format.js';
import type { Adapter } from '../../../src/model/adapter.js';
import { TARGETS } from '../../../src/model/targets.js';
import { normal, randomStream } from '../../../src/random/random-stream.js';
import { logCoshDice } from '../../../src/tasks/segmentation/losses/log-cosh-dice.js';
import { createSegmenter, type Segmenter } from '../../../src/tasks/segmentation/segmenter.js';
import { adam, adamW } from '../../../src/train/optimizers/adam.js';
import { sgd } from '../../../src/train/optimizers/sgd.js';
import type { Optimizer } from '../../../src/train/optimizers/transform.js';
import { Training } from '../../../src/train/training.js';
import { needOnednn } from '../../native/onednn.js';
import { needsPython } from '../python.js';

const SIZE = 32;
const CLASSES = 3;
const STEPS = 10;
const config = {
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 96,
  layer_norm_eps: 1e-6,
  image_size: SIZE,
  patch_size: 8,
  hidden_act: 'gelu' as const,
  num_channels: 3 as const,
};

/** One optimiser by our settings and by torch's. */
interface Steps {
  readonly name: 'adamW' | 'adam' | 'sgd';
  readonly ours: Optimizer;
  readonly torch: Readonly<Record<string, number | boolean>>;
  readonly rate: number;
  readonly clip?: number;
}

const adamWSteps: Steps = {
  name: 'adamW',
  ours: adamW({ weightDecay: 0.1 }),
  torch: { weight_decay: 0.1 },
  rate: 1e-3,
};

const sgdSteps: Steps = {
  name: 'sgd',
  ours: sgd({ momentum: 0.9, nesterov: true, weightDecay: 0.01, clip: 0.05 }),
  torch: { momentum: 0.9, nesterov: true, weight_decay: 0.01 },
  rate: 0.1,
  clip: 0.05,
};

interface Case {
  readonly adapter?: () => Adapter;
  readonly mode?: 'head' | 'full';
  readonly batchNorm?: boolean;
  readonly steps?: Steps;
}

const cases: Readonly<Record<string, Case>> = {
  'head alone': { mode: 'head' },
  // Biases before BatchNorm and of keys have gradients of zero but for rounding, which Adam would blow up to its rate.
  'head with BatchNorm': { mode: 'head', batchNorm: true, steps: sgdSteps },
  'full fine-tuning': { mode: 'full', steps: sgdSteps },
  lora: { adapter: () => lora({ rank: 4, alpha: 8 }) },
  'lora on all maps': { adapter: () => lora({ rank: 3, alpha: 5, targets: TARGETS }) },
  'lora on one block': { adapter: () => lora({ rank: 4, layers: [1] }) },
  rsLora: { adapter: () => lora({ rank: 4, alpha: 8, rsLora: true }) },
  dora: { adapter: () => lora({ rank: 4, alpha: 8, dora: true }) },
  'dora on all maps': { adapter: () => lora({ rank: 4, dora: true, targets: TARGETS }) },
  'serial, shared': { adapter: () => serialLora({ rank: 4 }) },
  'serial, one pair a projection': { adapter: () => serialLora({ rank: 4, alpha: 6, shared: false }) },
  'serial on all maps': { adapter: () => serialLora({ rank: 2, targets: TARGETS }) },
  localized: { adapter: () => localizedLora({ blocks: 4, blockRank: 2, alpha: 4 }) },
  'localized on all maps': { adapter: () => localizedLora({ blocks: 3, blockRank: 2, targets: TARGETS }) },
  'lora by Adam, clipped': {
    adapter: () => lora({ rank: 4 }),
    steps: {
      name: 'adam',
      ours: adam({ weightDecay: 0.1, clip: 0.05 }),
      torch: { weight_decay: 0.1 },
      rate: 1e-3,
      clip: 0.05,
    },
  },
  'lora by SGD with Nesterov, clipped': {
    adapter: () => lora({ rank: 4 }),
    steps: sgdSteps,
  },
};

type Values = Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;

function build({ adapter, mode, batchNorm = false }: Case): Segmenter {
  const model = createSegmenter(config, { classes: CLASSES, batchNorm, seed: 7 });
  return adapter ? model.inject(adapter(), 7) : model.train(mode ?? 'full');
}

/** Values away from where training starts, so that every path matters: the larger matrices of a trained ViT. */
function stirred(model: Segmenter): Values {
  const values: Values = new Map();
  for (const { name, value, group } of model.parameters) {
    const random = randomStream(11, name);
    const spread = group === 'backbone' && value.rank === 2 ? 0.15 : 0.05;
    const data = Float32Array.from(value.dataSync(), (x) => x + spread * normal(random));
    values.set(name, { shape: value.shape, data: name.endsWith('variance') ? data.map(Math.abs) : data });
  }
  return values;
}

function load(model: Segmenter, values: Values): void {
  for (const [name, { data, shape }] of values) model.parameters.set(name, tensor(data, [...shape]));
}

const random = randomStream(5, 'batch');
const pixels = Float32Array.from({ length: 2 * SIZE * SIZE * 3 }, () => normal(random));
const classes = Int32Array.from({ length: 2 * SIZE * SIZE }, () =>
  random() < 0.1 ? 255 : Math.floor(random() * CLASSES),
);

function batch(): Batch {
  const images = tensor4d(pixels, [2, SIZE, SIZE, 3]);
  const masks = tensor3d(classes, [2, SIZE, SIZE], 'int32');
  const plan = { epoch: 1, batch: 0, batches: STEPS, position: 0, samples: [] };
  return { plan, inputs: images, targets: masks, dispose: () => dispose([images, masks]) };
}

/**
 * Within 1e-4 of torch's, relative to the tensor's largest element. Tensors below a thousandth of the largest of all
 * (gradients of key biases, which are zero but for rounding) are held to that instead.
 */
function close(ours: ReadonlyMap<string, Float32Array>, torch: ReadonlyMap<string, Float32Array>): void {
  const largest = (data: Float32Array) => data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const floor = 1e-3 * Math.max(...[...torch.values()].map(largest));
  assert.deepEqual([...ours.keys()].toSorted(), [...torch.keys()].toSorted());
  for (const [name, expected] of torch) {
    const got = ours.get(name)!;
    assert.equal(got.length, expected.length, name);
    const error = largest(expected.map((x, i) => x - got[i]!)) / Math.max(largest(expected), floor);
    assert.ok(error <= 1e-4, `${name}: relative error ${error}`);
  }
}

const withPrefix = (tensors: ReadonlyMap<string, StoredTensor>, prefix: string) =>
  new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => [name.slice(prefix.length), data as Float32Array]),
  );

const named = (tensors: ReadonlyMap<string, StoredTensor>, name: string) =>
  new Map([[name, tensors.get(name)!.data as Float32Array]]);

const numbers = (values: Iterable<readonly [string, Tensor]>) =>
  new Map([...values].map(([name, value]) => [name, value.dataSync().slice() as Float32Array]));

describe('the segmenter beside torch', () => {
  let folder: string;
  const starts = new Map<string, Values>();
  const twins = new Map<string, ReadonlyMap<string, StoredTensor>>();

  before(async function () {
    const python: Python = await needsPython(this, 'torch', TORCH);
    folder = await mkdtemp(join(tmpdir(), 'millrace-twin-'));
    const input = [];
    for (const [name, one] of Object.entries(cases)) {
      const model = build(one);
      const start = stirred(model);
      starts.set(name, start);
      const path = join(folder, name);
      await mkdir(path);
      await writeFile(join(path, 'parameters.safetensors'), safetensorsBytes(start));
      const shape = [2, SIZE, SIZE];
      const tensors = { images: { shape: [...shape, 3], data: pixels }, masks: { shape, data: classes } };
      await writeFile(join(path, 'batch.safetensors'), safetensorsBytes(new Map(Object.entries(tensors))));
      const { adapter } = model;
      const { name: optimizer, torch, rate, clip = null } = one.steps ?? adamWSteps;
      input.push({
        folder: path,
        config,
        adapter: adapter
          ? { ...adapter, layers: adapter.layers ?? [...Array(config.num_hidden_layers).keys()] }
          : null,
        trainable: model.parameters.trainable().map((parameter) => parameter.name),
        buffers: [...model.parameters].filter(({ buffer }) => buffer).map((parameter) => parameter.name),
        optimizer,
        options: { lr: rate, ...torch },
        clip,
        steps: STEPS,
      });
      model.dispose();
    }
    assert.equal(await python.json(new URL('twin.py', import.meta.url), [], input), input.length);
    for (const name of Object.keys(cases))
      twins.set(name, (await readSafetensors(join(folder, name, 'twin.safetensors'))).tensors);
  });
  after(async () => {
    await setBackend('cpu');
    if (folder) await rm(folder, { recursive: true });
  });

  for (const engine of ['cpu', 'wasm', 'onednn'] as const)
    describe(engine, () => {
      if (engine === 'onednn') before(needOnednn);
      before(async () => {
        await useEngine(engine, { precision: 'f32' });
      });

      for (const [name, one] of Object.entries(cases))
        it(`${name}: forward, gradients, ten steps`, async () => {
          const twin = twins.get(name)!;
          const start = starts.get(name)!;
          const model = build(one);
          load(model, start);
          const loss = logCoshDice();
          const { ours, rate } = one.steps ?? adamWSteps;
          const training = new Training({ model, loss, optimizer: ours, learningRate: rate, seed: 1 });
          const data = batch();
          try {
            tidy(() => close(numbers([['logits', model.forward(data.inputs)]]), named(twin, 'logits')));

            const moving = model.parameters.trainable();
            tidy(() => {
              const { value, gradients } = valueAndGradients(
                () => loss(model.forward(data.inputs, { random: () => 0.5 }), data.targets),
                moving.map((parameter) => parameter.value),
              );
              close(numbers([['loss', value]]), named(twin, 'loss'));
              close(
                numbers(moving.map((parameter, i) => [parameter.name, gradients[i]!])),
                withPrefix(twin, 'gradient/'),
              );
            });

            // The pass above has moved BatchNorm's running statistics.
            load(model, start);
            for (let position = 0; position < STEPS; position++)
              await training.step({ ...data, plan: { ...data.plan, position } });
            close(
              numbers(model.parameters.changing().map((parameter) => [parameter.name, parameter.value])),
              withPrefix(twin, 'after/'),
            );
          } finally {
            data.dispose();
            training.dispose();
            model.dispose();
          }
        });
    });
});
