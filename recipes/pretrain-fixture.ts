// Pretrains the small backbone in fixtures/: from random weights, on pictures drawn as they are needed, a ViT learns to
// say of each patch whether it shows ground or one of the sixteen families.
//
//   node recipes/pretrain-fixture.js --out-dir fixtures/vit-creatures

import { argMax } from '@tensorflow/tfjs-core';
import {
  adamW,
  ConfusionMatrix,
  cosine,
  crossEntropy,
  fixture,
  saveBackbone,
  Training,
  useEngine,
  vitConfig,
} from 'millrace';
import {
  engineFlags,
  FAMILIES,
  ownedFolder,
  PATCHES,
  PatchClassifier,
  patchBatch,
  recipe,
} from 'millrace/recipe';
import { concat, concatMap, defer, ignoreElements, range, tap } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Pretrains the small ViT of the fixtures on drawn pictures.',
  flags: {
    Pretraining: {
      outDir: z
        .string()
        .min(1)
        .default(fixture('vit-creatures'))
        .describe('folder of config.json and model.safetensors'),
      images: z.int().min(1).default(96_000).describe('number of pictures to draw, each used once'),
      batchSize: z.int().min(1).default(16).describe('pictures per step'),
      lr: z.number().gt(0).default(1e-3).describe('peak learning rate'),
      weightDecay: z.number().min(0).default(0.05).describe('weight decay'),
      randomSeed: z.int().min(0).default(7).describe('seed of weights and pictures; the data set uses 42'),
      engine: engineFlags.engine,
      threads: z.int().min(1).optional().describe('threads of the engine; default: all available cores'),
    },
  },
  run: async ({ outDir, images, batchSize, lr, weightDecay, randomSeed: seed, ...settings }) => {
    const engine = await useEngine(settings.engine, { threads: settings.threads });
    const config = vitConfig.parse({
      hidden_size: 128,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      intermediate_size: 512,
      layer_norm_eps: 1e-6,
      image_size: PATCHES.size,
      patch_size: PATCHES.patch,
    });
    const steps = Math.ceil(images / batchSize);
    const model = new PatchClassifier(config, FAMILIES.length + 1, seed);
    const optimizer = adamW({ weightDecay, clip: 1 });
    const schedule = cosine(steps);
    const training = new Training({
      model,
      loss: crossEntropy(),
      optimizer,
      learningRate: lr,
      schedule,
      seed,
    });
    const started = performance.now();

    const learn$ = range(0, steps).pipe(
      concatMap(async (position) => {
        const batch = patchBatch(seed, 'train', position, batchSize);
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
      const score = await heldOutScore(model, seed);
      await ownedFolder(outDir, 'pretrain-fixture', async (folder) => {
        await saveBackbone(folder, config, model.parameters);
        return { images: steps * batchSize, batchSize, lr, weightDecay, seed, engine: engine.name, ...score };
      });
      process.stdout.write(`${outDir}: ${JSON.stringify(score)} on 512 pictures held out\n`);
    });

    return concat(learn$.pipe(ignoreElements()), save$);
  },
});

/** The scores on 512 pictures that were not trained on. */
async function heldOutScore(model: PatchClassifier, seed: number) {
  const confusion = new ConfusionMatrix(FAMILIES.length + 1);
  for (let i = 0; i < 16; i++) {
    const batch = patchBatch(seed, 'held out', i, 32);
    const logits = model.forward(batch.inputs);
    const classes = argMax(logits, -1);
    confusion.add(await batch.targets.data(), await classes.data());
    for (const each of [logits, classes, batch]) each.dispose();
  }
  return { patchAccuracy: confusion.accuracy, patchMiou: confusion.miou };
}
