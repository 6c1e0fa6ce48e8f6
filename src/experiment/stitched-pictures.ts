import type { Tensor } from '@tensorflow/tfjs-core';
import { catchError, concat, concatMap, defer, EMPTY, from, ignoreElements, type Observable, of } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import type { Evaluation } from '../../operators/evaluate.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { type StitchedPicture, stitch } from '../../operators/stitch.js';
import { UserError } from '../base/errors.js';
import { tensor3d, tensor4d } from '../base/tfjs-core.js';
import { noTargets } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import type { PixelFormat } from '../data/images/pixel-format.js';
import { readShown } from '../data/images/read-shown.js';
import { cutTiles } from '../data/images/tiles.js';
import { nameOf } from '../data/source.js';
import type { BatchPlan, ImageItem, Pair } from '../data/types.js';
import type { Metrics } from '../model/metrics.js';
import { readMaskIds } from '../tasks/segmentation/mask-format.js';
import { toClasses } from '../tasks/segmentation/mask-ids.js';
import type { Prediction } from '../tasks/segmentation/overlays.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { Stitcher } from '../tasks/segmentation/stitcher.js';
import { maskFormatOf } from './mask-format-of.js';
import { pixelFormatOf } from './pixel-format-of.js';
import { type BatchesOptions, batchesOf } from './planned-runs.js';
import type { SegmentationRun } from './run-settings.js';
import type { TrainedRun } from './trained-runs.js';

/** A stitched picture with its mask, both at the picture's own size. */
interface Scored extends StitchedPicture<Pair> {
  readonly classes: Uint8Array;
}

/** The pictures of a run that trained on tiles, stitched from theirs, at their own size and in order. */
function stitchedPictures(
  pairs: readonly Pair[],
  model: Segmenter,
  run: TrainedRun<SegmentationRun>,
  options: BatchesOptions,
): Observable<Scored> {
  const { tiles, tileOverlap: overlap } = run.settings;
  const { ids, palette } = maskFormatOf(run.settings);
  const stitcher = new Stitcher(model.head.classes);
  const withMask = async (picture: StitchedPicture<Pair>): Promise<Scored> => {
    const { mask } = picture.item;
    return { ...picture, classes: toClasses((await readMaskIds(mask, palette)).data, ids, nameOf(mask)) };
  };
  return defer(() => cutTiles(pairs, { tiles: tiles!, overlap })).pipe(
    concatMap((items) => batchesOf(items, model, run, options)),
    concatLease((batch$) => batch$.pipe(stitch<Pair>(model, stitcher))),
    concatMap(withMask),
  );
}

/** Whether a run trained on tiles. */
export function isTiled(run: TrainedRun): run is TrainedRun<SegmentationRun> {
  return 'tiles' in run.settings && run.settings.tiles !== undefined;
}

/** The predictions of pictures without masks by a run that trained on tiles, at the pictures' own size, one after another. */
export function predictTiles(
  images: readonly ImageItem[],
  model: Segmenter,
  { settings }: TrainedRun<SegmentationRun>,
  { batchSize, unreadable }: { readonly batchSize: number; readonly unreadable: (error: UserError) => void },
): Observable<Prediction> {
  const stitcher = new Stitcher(model.head.classes);
  const pixels = pixelFormatOf(settings);
  const load = (plan: BatchPlan<ImageItem>) =>
    from(plan.samples).pipe(
      decode(model.imageSize, { pixels }),
      normalize(model.normalization),
      batch(plan, noTargets),
    );
  const options = { tiles: settings.tiles!, overlap: settings.tileOverlap };
  const predictOne = (image: ImageItem) =>
    defer(() => cutTiles([image], options)).pipe(
      concatMap((items) =>
        prefetch(batchPlans(items, { batchSize, seed: 0, shuffle: false }), load, { ahead: 1 }),
      ),
      concatLease((batch$) => batch$.pipe(stitch<ImageItem>(model, stitcher))),
      concatMap((picture) => predictionOf(picture, model.head.classes, pixels)),
      catchError((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        unreadable(error);
        return EMPTY;
      }),
    );
  return from(images).pipe(concatMap(predictOne));
}

/** Scores a run that trained on tiles on whole pictures, at their own size. */
export function evaluateStitched(
  ...[pairs, model, run, options, metrics]: [
    ...Parameters<typeof stitchedPictures>,
    () => Metrics<Tensor, Tensor>,
  ]
): Observable<Evaluation> {
  return defer(() => {
    const all = metrics();
    let images = 0;
    const add = async ({ width, height, probabilities, classes }: Scored) => {
      // The softmax of log p is p.
      const logits = tensor4d(
        probabilities.map((p) => Math.log(Math.max(p, 1e-30))),
        [1, height, width, model.head.classes],
      );
      const masks = tensor3d(Int32Array.from(classes), [1, height, width], 'int32');
      try {
        await all.add(logits, masks);
        images++;
      } finally {
        logits.dispose();
        masks.dispose();
      }
    };
    return concat(
      stitchedPictures(pairs, model, run, options).pipe(concatMap(add), ignoreElements()),
      defer(() => of({ scores: all.scores(), images })),
    );
  });
}

/** The predictions of a run that trained on tiles, at the pictures' own size. */
export function predictStitched(...parameters: Parameters<typeof stitchedPictures>): Observable<Prediction> {
  const [, model, run] = parameters;
  return stitchedPictures(...parameters).pipe(
    concatMap(async (picture) => ({
      ...(await predictionOf(picture, model.head.classes, pixelFormatOf(run.settings))),
      target: picture.classes,
    })),
  );
}

async function predictionOf(
  { item, width, height, probabilities }: StitchedPicture,
  classes: number,
  pixels: PixelFormat,
): Promise<Prediction> {
  return {
    title: item.stem.replace(/@\d+,\d+$/, ''),
    width,
    height,
    image: (await readShown(item.image, pixels)).data,
    prediction: mostLikely(probabilities, classes),
  };
}

function mostLikely(probabilities: Float32Array, classes: number): Uint8Array {
  return Uint8Array.from({ length: probabilities.length / classes }, (_, pixel) => {
    const own = probabilities.subarray(pixel * classes, (pixel + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}
