// Trains a ViT for segmentation with an adapter, by default on the embedded pictures: adapters are lora, dora, serial_lora,
// localized_lora, bitfit, ln_tuning, a plugin's own, and none (the head alone). train-lora, train-serial and
// train-localized are this recipe with one.
//
//   node recipes/train.js --adapter localized_lora
//   node recipes/train.js --adapter lora --image-dir data/pets/images --mask-dir data/pets/masks \
//     --model-name google/vit-base-patch16-224 --epochs 50 --batch-size 32

import { join } from 'node:path';
import {
  batchesPerEpoch,
  checkpointStore,
  classColours,
  failIfDiverged,
  overlays,
  useEngine,
} from 'millrace';
import {
  chosenAdapter,
  closingText,
  dataFlags,
  engineOf,
  loadBackbone,
  maskFormatOf,
  modelFlags,
  openRun,
  presetFlag,
  recipe,
  resumedPlugins,
  resumeNotes,
  runFlags,
  runNameOf,
  segmentationSplits,
  segmentationTask,
  segmentationWeights,
  tiledSplits,
  trainingFlags,
  trainingNotes,
  trainingRun,
  trunkNote,
  trunkUse,
  warnOnError,
  withDashboard,
} from 'millrace/recipe';
import { concat, defer, finalize } from 'rxjs';

recipe({
  description: (peek) =>
    `Trains a ViT for segmentation ${chosenAdapter(peek).description}, by default on the embedded pictures.`,
  plugins: resumedPlugins,
  flags: (peek) => {
    const adapter = chosenAdapter(peek);
    return {
      Data: dataFlags,
      Model: { ...modelFlags, ...adapter.modelFlags },
      Adapter: adapter.flags,
      Training: { preset: presetFlag, ...trainingFlags },
      Run: runFlags,
    };
  },
  run: async ({ adapter: _chosen, ...settings }) => {
    const { batchSize } = settings;
    const folders = await openRun(runNameOf(settings), settings);
    const { models, logs, pictures, recorded } = folders;
    const whole = await segmentationSplits(settings, recorded);
    const splits = await tiledSplits(settings, whole);
    const engine = await useEngine(...engineOf(settings));
    process.stderr.write(`${engine.name}: ${engine.why}\n`);
    process.stderr.write(trainingNotes(settings, whole));
    const model = await loadBackbone(settings);
    const weights = await segmentationWeights(settings, whole);
    const task = segmentationTask(settings, { splits, whole, model, weights });
    process.stderr.write(trunkNote(settings, trunkUse(settings, model), splits));
    const batches = batchesPerEpoch(splits.train.length, batchSize);
    if (settings.resume) process.stderr.write(await resumeNotes(checkpointStore(models), settings, batches));

    const training$ = trainingRun(settings, { task, folders, shown: true }).pipe(failIfDiverged());
    const shown$ = task.inOrder([...splits.test, ...splits.validation, ...splits.train].slice(0, 4))();
    const colours = classColours(maskFormatOf(settings));
    const overlays$ = overlays(model, shown$, join(pictures, 'overlays.png'), task.classes, { colours });
    const closing$ = defer(async () =>
      process.stdout.write(await closingText(logs, [models, pictures], task.classes)),
    );
    return concat(training$, overlays$.pipe(warnOnError()), closing$).pipe(
      withDashboard(settings.dashboard, { logs: settings.logDir }),
      finalize(() => model.dispose()),
    );
  },
});
