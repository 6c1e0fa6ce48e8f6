// Predicts pictures that have no masks or labels, from any folder, with a trained run of either task.
//
//   node recipes/predict.js --model-dir models/localized_lora_42_1 --image-dir photos --output-dir predictions
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
} from 'millrace/recipe';
import { concatMap, defer, finalize, tap } from 'rxjs';
import { z } from 'zod';

recipe({
  description:
    'Predicts pictures without masks or labels: masks and overlays at their own sizes, or labels with probabilities.',
  flags: {
    Model: oneRunFlags,
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
    const { outputDir, imageDir, batchSize } = config;
    const run = await oneRun(config.modelDir, config);
    const images = await findImages(imageDir);
    const masks = images.flatMap((image) => filesOf(image).slice(0, config.overlays ? 2 : 1));
    openOutput(outputDir, isClassification(run) ? LABEL_FILES : masks, config);
    const format = 'maskIds' in run.settings ? maskFormatOf(run.settings) : undefined;
    const maskIds = format ? storedIds(format.ids) : [];
    const colours = format && classColours(format);
    await useEngine(...engineOf(config));
    const model = await loadTrained(run);
    let [lost, predicted] = [0, 0];
    const unreadable = ({ message }: UserError) => {
      lost++;
      process.stderr.write(printable(`predict: ${message}\n`));
    };
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
      tap({
        next: () => predicted++,
        complete: () => {
          process.stdout.write(
            printable(`predicted ${predicted} of ${images.length} pictures: ${outputDir}\n`),
          );
          if (lost > 0)
            throw new UserError(
              `expected ${images.length} pictures that can be read, got ${lost} that cannot, named above; the others are predicted`,
            );
        },
      }),
      finalize(() => model.dispose()),
    );
  },
});

/** The mask and the overlay of a picture, in the output folder. */
function filesOf({ stem }: { readonly stem: string }): [mask: string, overlay: string] {
  return [`masks/${stem}.png`, `overlays/${stem}.jpg`];
}
