// Trains a ViT for classification with an adapter, by default on the embedded pictures.
//
//   node recipes/train-classifier.js --adapter localized_lora
//   node recipes/train-classifier.js --image-dir data/breeds --model-name facebook/deit-tiny-patch16-224 --epochs 5
//   node recipes/train-classifier.js --labels data/breeds.csv --head keep --label-smoothing 0.1

import { join } from 'node:path';
import { batchesPerEpoch, checkpointStore, failIfDiverged, labelSheet, shuffled, useEngine } from 'millrace';
import {
  chosenAdapter,
  classificationSplits,
  classificationTask,
  classifierFlags,
  classifierRunFlags,
  classifierTrainingFlags,
  closingText,
  engineOf,
  LABEL_METRIC_TEXTS,
  labelledDataFlags,
  labelTrunkUse,
  loadLabelBackbone,
  openRun,
  recipe,
  resumedPlugins,
  resumeNotes,
  runNameOf,
  trainingNotes,
  trainingRun,
  trunkNote,
  warnOnError,
  withDashboard,
} from 'millrace/recipe';
import { concat, defer, finalize } from 'rxjs';

const PREFIX = 'classifier_';

recipe({
  description: (peek) =>
    `Trains a ViT for classification ${chosenAdapter(peek).description}, by default on the embedded pictures.`,
  plugins: (peek) => resumedPlugins(peek, PREFIX),
  flags: (peek) => {
    const adapter = chosenAdapter(peek);
    return {
      Data: labelledDataFlags,
      Model: { ...classifierFlags, ...adapter.modelFlags },
      Adapter: adapter.flags,
      Training: classifierTrainingFlags,
      Run: classifierRunFlags,
    };
  },
  run: async ({ adapter: _chosen, ...settings }) => {
    const { randomSeed: seed, batchSize } = settings;
    const folders = await openRun(runNameOf(settings, PREFIX), settings);
    const { models, logs, pictures, recorded } = folders;
    const data = await classificationSplits(settings, recorded);
    const engine = await useEngine(...engineOf(settings));
    process.stderr.write(`${engine.name}: ${engine.why}\n`);
    const { train, validation, test } = data.splits;
    process.stderr.write(trainingNotes(settings, data.splits, LABEL_METRIC_TEXTS));
    const model = await loadLabelBackbone(settings, data);
    const task = classificationTask(settings, { ...data, model });
    process.stderr.write(trunkNote(settings, labelTrunkUse(settings, model), data.splits));
    const batches = batchesPerEpoch(train.length, batchSize);
    if (settings.resume) process.stderr.write(await resumeNotes(checkpointStore(models), settings, batches));

    const training$ = trainingRun(settings, { task, folders, shown: true }).pipe(failIfDiverged());
    const unseen = [test, validation, train].find((split) => split.length > 0)!;
    const shown$ = task.inOrder(shuffled(unseen, seed).slice(0, 256))();
    const sheet$ = labelSheet(model, shown$, join(pictures, 'predictions.png'), task.classes);
    const closing$ = defer(async () =>
      process.stdout.write(await closingText(logs, [models, pictures], task.classes)),
    );
    return concat(training$, sheet$.pipe(warnOnError()), closing$).pipe(
      withDashboard(settings.dashboard, { logs: settings.logDir }),
      finalize(() => model.dispose()),
    );
  },
});
