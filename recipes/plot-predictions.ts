// Draws what trained models predict: a sheet of input | target | prediction a run and domain.
//
//   node recipes/plot-predictions.js
//   node recipes/plot-predictions.js --run-name lora_42_1 --style neon --images 8 --separate

import { join } from 'node:path';
import {
  type Classifier,
  classColours,
  concatLease,
  labelSheet,
  type Pair,
  predict,
  type Segmenter,
  shuffled,
  storedIds,
  useEngine,
  writeOverlays,
  writePredictions,
} from 'millrace';
import {
  adapterCheckFlags,
  batchesOf,
  byTask,
  checkpointFlags,
  domainFlags,
  eachDomain,
  engineOf,
  ignored,
  labelledBatchesOf,
  maskFormatOf,
  openOutput,
  overwriteFlag,
  plannedRuns,
  predictStitched,
  printable,
  readUnless,
  recipe,
  type SegmentationRun,
  scoringFlags,
  type TestDomain,
  type TrainedRun,
} from 'millrace/recipe';
import { concatMap, type Observable, tap, toArray } from 'rxjs';
import { z } from 'zod';

recipe({
  description: 'Draws input, target and prediction of pictures that the models have not seen.',
  flags: {
    Checkpoints: { ...checkpointFlags, ...adapterCheckFlags },
    Domains: domainFlags,
    Pictures: {
      outputDir: z.string().min(1).default('plots/predictions').describe('folder of <run>/<domain>.png'),
      overwrite: overwriteFlag,
      images: readUnless(
        z.int().min(1).max(64).default(4).describe('pictures per domain, chosen by the seed of the run'),
        ({ numSamples }) => (numSamples === undefined ? undefined : '--num-samples says the number'),
      ),
      numSamples: z.int().min(1).max(64).optional().describe('alias of --images'),
      numTrain: ignored('pictures come from the test split of the run, which its checkpoint knows'),
      separate: z
        .boolean()
        .default(false)
        .describe(
          'also write each picture to its own file, <stem>_{input,target,prediction}.png; masks store ids',
        ),
      ...scoringFlags,
    },
  },
  run: async (config) => {
    const plans = await plannedRuns(config);
    const sheets = plans.flatMap(({ run, domains }) => domains.map((domain) => sheetOf(run, domain)));
    openOutput(config.outputDir, sheets, config);
    await useEngine(...engineOf(config));

    const draw = (model: Segmenter | Classifier, run: TrainedRun, domain: TestDomain) => {
      const { randomSeed: seed, classNames } = run.settings;
      const { batchSize = 4 } = config;
      const some = shuffled(domain.items, seed).slice(0, config.numSamples ?? config.images);
      const sheet = join(config.outputDir, sheetOf(run, domain));
      return byTask<Observable<unknown>>(model, run, some, {
        segmentation: (segmenter, own, pairs) =>
          predicted(pairs, segmenter, own, batchSize).pipe(
            toArray(),
            concatMap(async (rows) => {
              const format = maskFormatOf(own.settings);
              await writeOverlays(sheet, rows, classNames, classColours(format));
              const folder = sheet.replace(/\.png$/, '');
              const { ids, palette } = format;
              if (config.separate) await writePredictions(folder, rows, storedIds(ids), palette);
            }),
          ),
        classification: (classifier, own, images) => {
          const batches$ = labelledBatchesOf(images, classifier, own, { batchSize });
          return labelSheet(classifier, batches$, sheet, classNames, images.length);
        },
      }).pipe(tap(() => process.stdout.write(printable(`${sheet}\n`))));
    };

    return eachDomain(plans, draw);
  },
});

/** The predictions of pictures: of a run that trained on tiles at the pictures' own size, else at the model's. */
function predicted(
  pairs: readonly Pair[],
  model: Segmenter,
  run: TrainedRun<SegmentationRun>,
  batchSize: number,
) {
  if (run.settings.tiles !== undefined) return predictStitched(pairs, model, run, { batchSize });
  return batchesOf(pairs, model, run, { batchSize }).pipe(
    concatLease((batch$) => batch$.pipe(predict(model, model.normalization))),
  );
}

/** The file of a run's sheet, in the output folder. */
function sheetOf({ name }: TrainedRun, { domain, style }: TestDomain): string {
  return join(name, `${style ?? domain}.png`);
}
