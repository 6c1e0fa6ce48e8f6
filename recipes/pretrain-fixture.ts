// Pretrains the small backbone in fixtures/: from random weights, on pictures drawn as they are needed, a ViT learns to
// say of each patch whether it shows ground or one of the sixteen families.
//
//   node recipes/pretrain-fixture.js --out-dir fixtures/vit-creatures

import { argMax, tensor3d, tensor4d } from '@tensorflow/tfjs-core';
import {
  adamW,
  type Batch,
  ConfusionMatrix,
  cosine,
  crossEntropy,
  engineFlags,
  FAMILIES,
  fixture,
  ownedFolder,
  PatchClassifier,
  randomStream,
  recipe,
  saveBackbone,
  scene,
  Training,
  useEngine,
  vitConfig,
} from 'millrace';
import { concat, concatMap, defer, ignoreElements, range, tap } from 'rxjs';
import { z } from 'zod';

const SIZE = 96;
const PATCH = 8;
const SIDE = SIZE / PATCH;
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

recipe({
  description: 'Pretrains the small ViT of the fixtures on drawn pictures.',
  flags: {
    Pretraining: {
      outDir: z
        .string()
        .min(1)
        .default(fixture('vit-creatures'))
        .describe('gets config.json and model.safetensors'),
      images: z.int().min(1).default(96_000).describe('pictures that are drawn, each seen once'),
      batchSize: z.int().min(1).default(16).describe('pictures in a step'),
      lr: z.number().gt(0).default(1e-3).describe('peak learning rate'),
      weightDecay: z.number().min(0).default(0.05).describe('weight decay'),
      randomSeed: z.int().min(0).default(7).describe('rules weights and pictures; the data set has 42'),
      engine: engineFlags.engine,
      threads: z.int().min(1).optional().describe("the engine's threads; default: the cores that are there"),
    },
  },
  run: async ({ outDir, images, batchSize, lr, weightDecay, randomSeed: seed, engine: wanted, threads }) => {
    const engine = await useEngine(wanted, { threads });
    const config = vitConfig.parse({
      hidden_size: 128,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      intermediate_size: 512,
      layer_norm_eps: 1e-6,
      image_size: SIZE,
      patch_size: PATCH,
    });
    const steps = Math.ceil(images / batchSize);
    const model = new PatchClassifier(config, FAMILIES.length + 1, seed);
    const loss = crossEntropy();
    const optimizer = adamW({ weightDecay, clip: 1 });
    const training = new Training({
      model,
      loss,
      optimizer,
      learningRate: lr,
      schedule: cosine(steps),
      seed,
    });
    const started = performance.now();

    const learn$ = range(0, steps).pipe(
      concatMap(async (position) => {
        const batch = draw(seed, 'train', position, batchSize);
        const { loss } = await training.step(batch).finally(() => batch.dispose());
        return { step: position + 1, loss };
      }),
      tap(({ step, loss }) => {
        if (step % 10 !== 0 && step !== steps) return;
        const speed = (1000 * step * batchSize) / (performance.now() - started);
        process.stderr.write(
          `step ${step}/${steps}  loss ${loss.toFixed(4)}  ${speed.toFixed(1)} images/s\n`,
        );
      }),
    );

    const save$ = defer(async () => {
      const confusion = new ConfusionMatrix(FAMILIES.length + 1);
      for (let i = 0; i < 16; i++) {
        const batch = draw(seed, 'held out', i, 32);
        const logits = model.forward(batch.inputs);
        const named = argMax(logits, -1);
        confusion.add(await batch.targets.data(), await named.data());
        for (const done of [logits, named, batch]) done.dispose();
      }
      const score = { patchAccuracy: confusion.accuracy, patchMiou: confusion.miou };
      await ownedFolder(outDir, 'pretrain-fixture', async (folder) => {
        await saveBackbone(folder, config, model.parameters);
        return { images: steps * batchSize, batchSize, lr, weightDecay, seed, engine: engine.name, ...score };
      });
      process.stdout.write(`${outDir}: ${JSON.stringify(score)} on 512 pictures held out\n`);
    });

    return concat(learn$.pipe(ignoreElements()), save$);
  },
});

/** A batch of scenes, each with any family as its main figure; a mask says what most of a patch shows. */
function draw(seed: number, use: string, position: number, size: number): Batch {
  const images = new Float32Array(size * SIZE * SIZE * 3);
  const labels = new Int32Array(size * SIDE * SIDE);
  for (let i = 0; i < size; i++) {
    const random = randomStream(seed, 'pretraining', use, position, i);
    const family = FAMILIES[Math.floor(FAMILIES.length * random())]!;
    const drawn = scene(random, SIZE, SIZE, family);
    drawn.image.forEach((value, k) => {
      images[i * drawn.image.length + k] = (value / 255 - MEAN[k % 3]!) / STD[k % 3]!;
    });
    for (let patch = 0; patch < SIDE * SIDE; patch++)
      labels[i * SIDE * SIDE + patch] = mostFrequent(drawn.labels, patch % SIDE, Math.floor(patch / SIDE));
  }
  const tensors = {
    inputs: tensor4d(images, [size, SIZE, SIZE, 3]),
    targets: tensor3d(labels, [size, SIDE, SIDE], 'int32'),
  };
  const dispose = () => Object.values(tensors).forEach((tensor) => tensor.dispose());
  return { plan: { epoch: 1, batch: 0, batches: 1, position, samples: [] }, ...tensors, dispose };
}

function mostFrequent(labels: Uint8Array, column: number, row: number): number {
  const counts = new Uint8Array(FAMILIES.length + 1);
  for (let y = row * PATCH; y < (row + 1) * PATCH; y++)
    for (let x = column * PATCH; x < (column + 1) * PATCH; x++) counts[labels[y * SIZE + x]!]!++;
  return counts.indexOf(Math.max(...counts));
}
