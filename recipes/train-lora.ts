// Trains a ViT for segmentation with LoRA: a low-rank change beside each adapted weight.
//
//   node recipes/train-lora.js
//   node recipes/train-lora.js --image-dir data/pets/images --mask-dir data/pets/masks \
//     --model-name google/vit-base-patch16-224 --epochs 50 --batch-size 32

import { join } from 'node:path';
import {
  adapterFlags,
  augment,
  augmentations,
  type BatchPlan,
  batch,
  batchesPerEpoch,
  batchPlans,
  begin,
  cacheNamed,
  checkpoint,
  checkpointStore,
  checkSplits,
  classNamesOf,
  closingText,
  concatLease,
  csv,
  dataFlags,
  decode,
  earlierRun,
  earlyStop,
  engineOf,
  failIfDiverged,
  finish,
  guard,
  ignored,
  imageMaskPairs,
  jsonLines,
  learningRates,
  loadSegmenter,
  logTo,
  lora,
  lossNamed,
  modelFlags,
  normalize,
  openRun,
  optimizerNamed,
  overlays,
  type Pair,
  plots,
  prefetch,
  progress,
  recipe,
  recordOf,
  restoreLast,
  resumeNotes,
  runFlags,
  scheduleNamed,
  segmentationMetrics,
  split,
  summary,
  Training,
  tensorBoard,
  testBest,
  trainingFlags,
  trainingNotes,
  trainStep,
  useEngine,
  validate,
} from 'millrace';
import { concat, defer, finalize, from, identity, lastValueFrom } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Trains a ViT for segmentation with LoRA, by default on the embedded pictures.',
  flags: {
    Data: dataFlags,
    Model: modelFlags,
    Adapter: {
      loraType: z.enum(['lora']).default('lora').describe('what this recipe trains'),
      rank: z.int().min(1).default(4).describe('rank of the change'),
      rsLora: z.boolean().default(false).describe('scale by alpha / √rank'),
      dora: z.boolean().default(false).describe('learn magnitudes apart from directions (DoRA)'),
      ...adapterFlags,
      rBlock: ignored('LoRA has no blocks; --rank says its size'),
      numBlocksPerRow: ignored('LoRA has no blocks; --rank says its size'),
    },
    Training: trainingFlags,
    Run: runFlags,
  },
  run: async ({ resume, overwrite, ahead, cache, cacheDir, ...settings }) => {
    const { randomSeed: seed, epochs, batchSize, maskIds, mode, metric, patience } = settings;
    const classNames = classNamesOf(settings);
    const what = mode === 'adapters' ? settings.loraType : mode;
    const run = settings.runName ?? `${what}_${seed}_${settings.dataPercentage}`;
    const opened = await openRun(run, { ...settings, resume, overwrite, cache, cacheDir });
    const { models, logs, pictures, recorded } = opened;
    const engine = await useEngine(engineOf(settings), settings);
    process.stderr.write(`${engine.name}: ${engine.why}\n`);

    const { dataPercentage: percentage, split: rule, shrink } = settings;
    const splits = await lastValueFrom(
      imageMaskPairs(settings.imageDir, settings.maskDir, { lists: settings.list }).pipe(
        split({ seed, percentage, rule, shrink, recorded }),
        checkSplits({ ids: maskIds }),
      ),
    );
    const { train, validation, test } = splits;

    process.stderr.write(trainingNotes(settings, splits));

    const head = {
      classes: maskIds.length,
      name: settings.head,
      batchNorm: settings.batchNorm,
      dropout: settings.headDropout,
    };
    const model = await loadSegmenter(settings.modelName, { ...head, imageSize: settings.imageSize, seed });
    if (mode === 'adapters') model.inject(lora({ ...settings, dropout: settings.adapterDropout }), seed);
    model.train(mode);

    const loss = lossNamed(settings.loss);
    const batches = batchesPerEpoch(train.length, batchSize);
    const training = new Training({
      model,
      loss,
      optimizer: optimizerNamed(settings.optimizer, settings),
      schedule: scheduleNamed(settings.schedule, { steps: epochs * batches, metric }),
      learningRate: learningRates(settings),
      average: settings.ema,
      frozenSteps: mode === 'head' ? 0 : (settings.freezeEpochs ?? 0) * batches,
      seed,
    });

    const config = { ...settings, classNames, model: recordOf(model, settings.modelName) };
    const store = checkpointStore(models, { keep: settings.keep, best: metric, config, splits });
    const earlier = await earlierRun(training, store, { resume, overwrite, logs, config });
    process.stderr.write(await resumeNotes(store, settings, batches));

    const samples = cacheNamed(cache, cacheDir);
    const load = (plan: BatchPlan, changes = augmentations([])) =>
      from(plan.samples).pipe(
        decode(model.imageSize, { ids: maskIds, cache: samples }),
        augment(...changes),
        normalize(model.normalization),
        batch(plan),
      );
    const inOrder = (pairs: readonly Pair[]) => () =>
      prefetch(batchPlans(pairs, { batchSize, seed, shuffle: false }), (plan) => load(plan), { ahead: 1 });
    const scoring = {
      every: 'epoch',
      metrics: segmentationMetrics({ classes: maskIds.length, loss }),
    } as const;
    const changes = augmentations(settings.augment);
    const plans = batchPlans(train, { epochs, batchSize, seed, from: training.position });

    const training$ = prefetch(plans, (plan) => load(plan, changes), { ahead }).pipe(
      concatLease((batch$) =>
        batch$.pipe(
          trainStep(training),
          validation.length > 0 ? validate(training, inOrder(validation), scoring) : identity,
          checkpoint(training, store, { every: settings.checkpointEvery }),
        ),
      ),
      settings.guard
        ? guard({ memory: training.memory, restore: () => restoreLast(training, store) })
        : identity,
      patience ? earlyStop({ metric, patience, memory: training.memory }) : identity,
      finish({ step: training.position, epoch: Math.ceil(training.position / batches) }),
      test.length > 0 ? testBest(model, store, inOrder(test), scoring) : identity,
      begin({ run, model, engine, seed, epochs, batches, classes: classNames, config }),
      logTo(
        jsonLines(logs, { earlier }),
        csv(logs, { earlier }),
        tensorBoard(logs, { earlier }),
        plots(pictures, { earlier }),
        summary(logs, { earlier }),
      ),
      progress({ metric, earlier }),
      failIfDiverged(),
    );

    const shown$ = inOrder([...test, ...validation, ...train].slice(0, 4))();
    const overlays$ = overlays(model, shown$, join(pictures, 'overlays.png'), classNames);
    const closing$ = defer(async () => process.stdout.write(await closingText(logs, models, pictures)));
    return concat(training$, overlays$, closing$).pipe(
      finalize(() => [training, model].forEach((owner) => owner.dispose())),
    );
  },
});
