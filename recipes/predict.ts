// Predicts pictures that have no masks or labels, from any folder, with a trained run of either task.
//
//   node recipes/predict.js --model-dir models/localized_lora_42_1 --image-dir photos --output-dir predictions
//   node recipes/predict.js --model-dir models/pets --image-dir photos --adapter day=adapters/day,night=adapters/night
//   npx millrace predict --model-dir models/breeds_42_1 --image-dir photos --output-dir labels

import { join } from 'node:path';
import {
  Classifier,
  classColours,
  concatLease,
  findImages,
  labelProbabilities,
  pictureBatches,
  predictPictures,
  storedIds,
  UserError,
  useEngine,
  writeMask,
  writeOverlay,
} from 'millrace';
import {
  adapterName,
  adapterPathsFlag,
  engineFlags,
  engineOf,
  isClassification,
  isTiled,
  LABEL_FILES,
  LabelFiles,
  loadTrained,
  maskFormatOf,
  oneRun,
  oneRunFlags,
  openOutput,
  overwriteFlag,
  predictTiles,
  printable,
  recipe,
  type TrainedRun,
  withAdapters,
} from 'millrace/recipe';
import { concat, concatMap, defer, finalize, type Observable, tap } from 'rxjs';
import { z } from 'zod';

recipe({
  description:
    'Predicts pictures without masks or labels: masks and overlays at their own sizes, or labels with probabilities.',
  flags: {
    Model: { ...oneRunFlags, adapter: adapterPathsFlag },
    Pictures: {
      imageDir: z.string().min(1).describe('folder of pictures, searched to the bottom'),
      outputDir: z
        .string()
        .min(1)
        .default('predictions')
        .describe('folder of masks/*.png and overlays/*.jpg, or of predictions.csv and predictions.jsonl'),
      overlays: z.boolean().default(true).describe('also write the classes over the picture'),
      overwrite: overwriteFlag,
    },
    Engine: {
      batchSize: z.int().min(1).default(4).describe('pictures per batch, held at their own sizes'),
      ...engineFlags,
    },
  },
  run: async (config) => {
    const run = await oneRun(config.modelDir, config);
    const images = await findImages(config.imageDir);
    const runs = withAdapters([run], config);
    // Several adapters have a folder each.
    const jobs = runs.map((one) => ({
      run: one,
      outputDir: runs.length > 1 ? join(config.outputDir, adapterName(one)) : config.outputDir,
    }));
    const masks = images.flatMap((image) => filesOf(image).slice(0, config.overlays ? 2 : 1));
    for (const { outputDir } of jobs)
      openOutput(outputDir, isClassification(run) ? LABEL_FILES : masks, config);
    await useEngine(...engineOf(config));
    return concat(...jobs.map((job) => predictRun(job.run, images, { ...config, outputDir: job.outputDir })));
  },
});

interface Settings {
  readonly imageDir: string;
  readonly outputDir: string;
  readonly overlays: boolean;
  readonly batchSize: number;
}

/** Predicts the pictures with one model. */
function predictRun(run: TrainedRun, images: Images, config: Settings): Observable<unknown> {
  const { outputDir, imageDir, batchSize } = config;
  const format = 'maskIds' in run.settings ? maskFormatOf(run.settings) : undefined;
  const maskIds = format ? storedIds(format.ids) : [];
  const colours = format && classColours(format);
  let [lost, predicted] = [0, 0];
  const unreadable = ({ message }: UserError) => {
    lost++;
    process.stderr.write(printable(`predict: ${message}\n`));
  };
  const end = () => {
    process.stdout.write(printable(`predicted ${predicted} of ${images.length} pictures: ${outputDir}\n`));
    if (lost > 0)
      throw new UserError(
        `expected ${images.length} pictures that can be read, got ${lost} that cannot, named above; the others are predicted`,
      );
  };
  return defer(() => loadTrained(run)).pipe(
    concatMap((model) => {
      const batches$ = pictureBatches(images, model, { batchSize, unreadable });
      const predicted$ =
        model instanceof Classifier
          ? defer(() => LabelFiles.open(outputDir, { classes: run.settings.classNames, imageDir })).pipe(
              concatMap((files) =>
                batches$.pipe(
                  concatLease((batch$) => batch$.pipe(labelProbabilities(model))),
                  concatMap((row) => files.add(row)),
                  finalize(() => void files.close()),
                ),
              ),
            )
          : (isTiled(run)
              ? predictTiles(images, model, run, { batchSize, unreadable })
              : batches$.pipe(concatLease((batch$) => batch$.pipe(predictPictures(model))))
            ).pipe(
              concatMap(async (row) => {
                const [mask, overlay] = filesOf({ stem: row.title });
                await writeMask(join(outputDir, mask), row, maskIds, colours);
                if (config.overlays) await writeOverlay(join(outputDir, overlay), row, colours);
              }),
            );
      return predicted$.pipe(
        tap({ next: () => predicted++, complete: end }),
        finalize(() => model.dispose()),
      );
    }),
  );
}

type Images = Awaited<ReturnType<typeof findImages>>;

/** The mask and the overlay of a picture, in the output folder. */
function filesOf({ stem }: { readonly stem: string }): [mask: string, overlay: string] {
  return [`masks/${stem}.png`, `overlays/${stem}.jpg`];
}
