// The training pipeline, spelled out: copy this file to begin your own. It trains Localized LoRA on a few pictures;
// train.ts runs the same operators, with every flag, through `trainingRun`.
//
//   node recipes/pipeline.js
//   node recipes/pipeline.js --image-dir data/pets/images --mask-dir data/pets/masks --epochs 8

import { join } from 'node:path';
import {
  adamW,
  asRun,
  augment,
  type BatchPlan,
  batch,
  batchPlans,
  checkpoint,
  checkpointStore,
  checkSplits,
  concatLease,
  csv,
  decode,
  earlyStop,
  guard,
  horizontalFlip,
  imageMaskPairs,
  jsonLines,
  loadSegmenter,
  localizedLora,
  logCoshDice,
  logTo,
  normalize,
  plots,
  prefetch,
  progress,
  Run,
  segmentationMetrics,
  split,
  summary,
  type Transform,
  tensorBoard,
  testBest,
  trainStep,
  useEngine,
  validate,
} from 'millrace';
import { dataFlags, modelFlags, recipe, runFlags } from 'millrace/recipe';
import { finalize, from, lastValueFrom } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'The training pipeline, spelled out: a recipe to copy.',
  flags: {
    Data: { imageDir: dataFlags.imageDir, maskDir: dataFlags.maskDir, randomSeed: dataFlags.randomSeed },
    Model: { modelName: modelFlags.modelName },
    Training: {
      epochs: z.int().min(1).default(2).describe('passes over the training split'),
      batchSize: z.int().min(1).default(8).describe('images per batch'),
      dataPercentage: dataFlags.dataPercentage.default(0.25),
    },
    Run: {
      outputDir: z.string().min(1).default('results/pipeline').describe('folder of all output'),
      overwrite: runFlags.overwrite,
      resume: runFlags.resume,
    },
  },
  run: async ({ imageDir, maskDir, randomSeed: seed, modelName, epochs, batchSize, ...settings }) => {
    const { dataPercentage: percentage, outputDir, overwrite, resume } = settings;
    await useEngine('auto');
    const { train, validation, test } = await lastValueFrom(
      imageMaskPairs(imageDir, maskDir).pipe(split({ seed, percentage }), checkSplits({ ids: [1, 2, 3] })),
    );
    const model = await loadSegmenter(modelName, { classes: 3, seed });
    model.inject(localizedLora({ blocks: 4, blockRank: 4, alpha: 16 }), seed);
    const loss = logCoshDice();
    const run = new Run({
      name: 'pipeline',
      model,
      loss,
      metrics: segmentationMetrics({ classes: 3, loss }),
      metric: 'softDice',
      optimizer: adamW(),
      learningRate: 1e-3,
      epochs,
      batchSize,
      seed,
      classes: ['pet', 'background', 'border'],
      store: checkpointStore(join(outputDir, 'checkpoints')),
      logs: outputDir,
      plots: outputDir,
    });
    await run.open({ overwrite, resume });

    const load =
      (...augmentations: Transform[]) =>
      (plan: BatchPlan) =>
        from(plan.samples).pipe(
          decode(model.imageSize),
          augment(...augmentations),
          normalize(model.normalization),
          batch(plan),
        );
    const inOrder = (pairs: typeof test) => () =>
      prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), load(), { ahead: 1 });

    return prefetch(run.plans(train), load(horizontalFlip()), { ahead: 2 }).pipe(
      concatLease((batch$) =>
        batch$.pipe(trainStep(run), validate(run, inOrder(validation)), checkpoint(run)),
      ),
      guard(run),
      earlyStop(run, { patience: 5 }),
      testBest(run, inOrder(test)),
      asRun(run),
      logTo(run, jsonLines(), csv(), tensorBoard(), plots(), summary()),
      progress(run),
      finalize(() => [run, model].forEach((owner) => owner.dispose())),
    );
  },
});
