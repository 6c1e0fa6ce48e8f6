import type { Tensor } from '@tensorflow/tfjs-core';
import { concatMap, defer, from, map, type Observable, toArray } from 'rxjs';
import { batch } from '../../operators/batch.js';
import { concatLease } from '../../operators/concat-lease.js';
import { decode } from '../../operators/decode.js';
import { normalize } from '../../operators/normalize.js';
import { prefetch } from '../../operators/prefetch.js';
import { stitch } from '../../operators/stitch.js';
import { UserError } from '../base/errors.js';
import { gather, tensor1d, tidy } from '../base/tfjs-core.js';
import { noTargets } from '../data/batch.js';
import { batchPlans } from '../data/batch-plans.js';
import { type ImageSize, type Size, sizeOf } from '../data/images/image-size.js';
import { pictureSize } from '../data/images/picture-size.js';
import type { PixelFormat } from '../data/images/pixel-format.js';
import { scaledSizes } from '../data/images/scales.js';
import { type Tiled, tilesOf } from '../data/images/tiles.js';
import { resizeNearest } from '../data/pixels/resize.js';
import { nameOf } from '../data/source.js';
import type { BatchPlan, ImageItem, Pair } from '../data/types.js';
import type { Model } from '../model/model.js';
import { averagedTo } from '../tasks/segmentation/averaged-to.js';
import { readMaskIds } from '../tasks/segmentation/mask-format.js';
import { toClasses } from '../tasks/segmentation/mask-ids.js';
import type { Segmenter } from '../tasks/segmentation/segmenter.js';
import { type Stitched, Stitcher } from '../tasks/segmentation/stitcher.js';
import { maskFormatOf } from './mask-format-of.js';
import { pixelFormatOf } from './pixel-format-of.js';
import type { SegmentationRun } from './run-settings.js';
import type { TrainedRun } from './trained-runs.js';

/** How pictures are looked at to be scored at their own resolution. */
export interface WholePictureOptions {
  /** Tiles of a picture in one batch. */
  readonly batchSize: number;
  /** The sliding window in pixels of the picture. Default: the tiles that the run trained on, or whole pictures. */
  readonly tiles?: ImageSize | undefined;
  /** Share of a window's side that the next one has, too. Default: the run's, or .25. */
  readonly tileOverlap?: number | undefined;
  /** Also look at the mirrored picture. Default false. */
  readonly ttaFlip?: boolean;
  /** Multiples of the model's size at which it looks. Default 1 alone. */
  readonly ttaScales?: readonly number[];
  /** The size of all pictures, in place of each one's own. */
  readonly size?: ImageSize | undefined;
}

/** A picture's probabilities, and the classes of its mask, both at its own size or at the one that was asked for. */
export interface WholePicture extends Stitched {
  readonly pair: Pair;
  readonly classes: Uint8Array;
}

/**
 * The probabilities of pictures at their own size, one picture after another: logits of whole pictures, or of windows that
 * slide over them, are interpolated to pixels, and the probabilities of all views (scales, and each mirrored) are
 * averaged.
 *
 * With a `size` probabilities are then averaged over the area of each of its pixels, and masks are resized to the nearest,
 * as in training.
 *
 * @throws UserError for a mask of another size than its picture.
 */
export function wholePictures(
  pairs: readonly Pair[],
  model: Segmenter,
  run: TrainedRun<SegmentationRun>,
  options: WholePictureOptions,
): Observable<WholePicture> {
  const { ttaFlip = false, ttaScales = [1], size } = options;
  const sizes =
    ttaScales.length === 1 && ttaScales[0] === 1
      ? [model.imageSize]
      : scaledSizes(model.imageSize, model.config.patch_size, ttaScales);
  model.takes(sizes);
  const models = ttaFlip ? [model, mirrored(model)] : [model];
  const views = sizes.flatMap((size) => models.map((view) => ({ model: view, size })));
  return from(pairs).pipe(
    concatMap(async (pair) => ({ pair, tiles: await windowsOf(pair, run, options) })),
    concatMap(({ pair, tiles }) =>
      from(views).pipe(
        concatMap((view) => seen(tiles, model, view, pixelFormatOf(run.settings), options.batchSize)),
        toArray(),
        concatMap(async (all) => ({ ...meanOfViews(all), pair, classes: await maskOf(pair, run, all[0]!) })),
        map((picture) => (size === undefined ? picture : resized(picture, sizeOf(size)))),
      ),
    ),
  );
}

interface View {
  readonly model: Model<Tensor, Tensor>;
  readonly size: Size;
}

/** One view of a picture, stitched from its windows. */
function seen(
  tiles: readonly Tiled<ImageItem>[],
  { normalization, head }: Segmenter,
  { model, size }: View,
  pixels: PixelFormat,
  batchSize: number,
): Observable<Stitched> {
  const load = (plan: BatchPlan<Tiled<ImageItem>>) =>
    from(plan.samples).pipe(decode(size, { pixels }), normalize(normalization), batch(plan, noTargets));
  return defer(() => {
    const stitcher = new Stitcher(head.classes);
    return prefetch(batchPlans(tiles, { batchSize, seed: 0, shuffle: false }), load, { ahead: 1 }).pipe(
      concatLease((batch$) => batch$.pipe(stitch<ImageItem>(model, stitcher))),
    );
  });
}

/** The model as it sees mirrored pictures; its logits are mirrored back. */
function mirrored(model: Segmenter): Model<Tensor, Tensor> {
  return {
    parameters: model.parameters,
    forward: (images) => tidy(() => mirror(model.forward(mirror(images)))),
    dispose: () => {},
  };
}

/** [batch, height, width, channels], from right to left. */
function mirror(pictures: Tensor): Tensor {
  const width = pictures.shape[2]!;
  return gather(
    pictures,
    tensor1d(
      Array.from({ length: width }, (_, x) => width - 1 - x),
      'int32',
    ),
    2,
  );
}

async function windowsOf(
  { stem, image }: Pair,
  { settings }: TrainedRun<SegmentationRun>,
  options: WholePictureOptions,
): Promise<Tiled<ImageItem>[]> {
  const picture = await pictureSize(image);
  const { tiles = settings.tiles ?? picture, tileOverlap: overlap = settings.tileOverlap } = options;
  return tilesOf(picture, { tiles, overlap }).map((tile) => ({ stem, image, tile }));
}

function meanOfViews(views: readonly Stitched[]): Stitched {
  const [first, ...others] = views;
  if (others.length === 0) return first!;
  const probabilities = first!.probabilities.map(
    (value, i) => others.reduce((sum, view) => sum + view.probabilities[i]!, value) / views.length,
  );
  return { ...first!, probabilities };
}

function resized(picture: WholePicture, size: Size): WholePicture {
  const classes = resizeNearest({ ...picture, data: picture.classes }, size.width, size.height);
  return { ...picture, ...averagedTo(picture, size), classes };
}

async function maskOf(
  { image, mask }: Pair,
  { settings }: TrainedRun<SegmentationRun>,
  { width, height }: Size,
): Promise<Uint8Array> {
  const { ids, palette } = maskFormatOf(settings);
  const stored = await readMaskIds(mask, palette);
  if (stored.width !== width || stored.height !== height)
    throw new UserError(
      `${nameOf(mask)}: expected the size of ${nameOf(image)}, ${width}×${height}, got ${stored.width}×${stored.height}`,
      { path: nameOf(mask) },
    );
  return toClasses(stored.data, ids, nameOf(mask));
}
