import { join } from 'node:path';
import { concatMap, defer, finalize, type Observable, tap } from 'rxjs';
import { concatLease } from '../../operators/concat-lease.js';
import { labelProbabilities } from '../../operators/label-probabilities.js';
import { pictureBatches } from '../../operators/picture-batches.js';
import { predictPictures } from '../../operators/predict-pictures.js';
import { UserError } from '../base/errors.js';
import { printable } from '../base/printable.js';
import type { ImageItem } from '../data/types.js';
import { Classifier } from '../tasks/classification/classifier.js';
import { classColours } from '../tasks/segmentation/class-colours.js';
import { storedIds } from '../tasks/segmentation/mask-ids.js';
import { writeMask, writeOverlay } from '../tasks/segmentation/write-mask.js';
import { LabelFiles } from './label-files.js';
import { maskFormatOf } from './mask-format-of.js';
import { pixelFormatOf } from './pixel-format-of.js';
import { isTiled, predictTiles } from './stitched-pictures.js';
import { loadTrained, type TrainedRun } from './trained-runs.js';

/** Where pictures are predicted from and to: the flags of `predict`. */
export interface PredictSettings {
  readonly imageDir: string;
  readonly outputDir: string;
  readonly overlays: boolean;
  readonly batchSize: number;
}

/**
 * Predicts pictures with one trained run: masks and overlays, or files of labels, in `outputDir`. Says each picture that cannot
 * be read, and how many were predicted.
 *
 * @throws UserError at the end where pictures could not be read; the others are predicted.
 */
export function predictRun(
  run: TrainedRun,
  images: readonly ImageItem[],
  config: PredictSettings,
): Observable<unknown> {
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
      const batches$ = pictureBatches(images, model, {
        batchSize,
        unreadable,
        pixels: pixelFormatOf(run.settings),
      });
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
                const [mask, overlay] = predictionFiles({ stem: row.title });
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

/** The mask and the overlay of a picture, in the output folder. */
export function predictionFiles({ stem }: { readonly stem: string }): [mask: string, overlay: string] {
  return [`masks/${stem}.png`, `overlays/${stem}.jpg`];
}
