import type { Tensor4D } from '@tensorflow/tfjs-core';
import { concatMap, from, map, type Observable, toArray } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import { tensor4d } from '../src/base/tfjs-core.js';
import { type Batch, type NoTargets, noTargets } from '../src/data/batch.js';
import { batchPlans } from '../src/data/batch-plans.js';
import { type Pixels, readImage } from '../src/data/images/image-file.js';
import type { Size } from '../src/data/images/image-size.js';
import { imageTensor } from '../src/data/images/image-tensor.js';
import { shownBytes } from '../src/data/images/pictures.js';
import { deepFormat, type PixelFormat } from '../src/data/images/pixel-format.js';
import { readChannels } from '../src/data/images/read-channels.js';
import { drafted } from '../src/data/pixels/draft.js';
import { resizeBilinear } from '../src/data/pixels/resize.js';
import { resizeChannels } from '../src/data/pixels/resize-channels.js';
import type { BatchPlan, ImageItem, Sample, SamplePlan } from '../src/data/types.js';
import type { AdaptableVit } from '../src/model/vit/adaptable-vit.js';
import type { Lease } from './lease.js';
import { type Normalized, normalize } from './normalize.js';
import { prefetch } from './prefetch.js';

/** Pictures to predict: at the model's size in `inputs`, and as they are in `pictures`. */
export interface PictureBatch extends Batch<Tensor4D, NoTargets> {
  readonly plan: BatchPlan<ImageItem>;
  /** The pictures at their own sizes, in the order of `plan.samples`. */
  readonly pictures: readonly Pixels[];
}

/** Options of `pictureBatches`. */
export interface PictureBatchesOptions {
  /** Pictures per batch. Default 4: pictures are held at their own sizes. */
  readonly batchSize?: number;
  /** Batches that are loaded ahead. Default 1. */
  readonly ahead?: number;
  /** What to do about a picture that cannot be read; the others go on. Default: the stream fails. */
  readonly unreadable?: (error: UserError) => void;
  /** How pictures become numbers that are not RGB of 8 bits. Default: RGB bytes. */
  readonly pixels?: PixelFormat | undefined;
}

type Picture = Sample<ImageItem> & { readonly picture: Pixels };

/**
 * Batches of pictures without masks or labels, in order, each under a lease: for `predictPictures` and `labelProbabilities`.
 *
 * Each picture is resized to the model's size as in training. A batch has no rows where none of its pictures can be read.
 *
 * @throws UserError naming a picture that cannot be read, unless `unreadable` takes it.
 * @example
 * pictureBatches(await findImages('photos'), model).pipe(
 *   concatLease((batch$) => batch$.pipe(predictPictures(model))),
 *   concatMap((row) => writeMask(`masks/${row.title}.png`, row, [1, 2, 3])),
 * );
 */
export function pictureBatches(
  images: readonly ImageItem[],
  model: Pick<AdaptableVit, 'imageSize' | 'normalization'>,
  { batchSize = 4, ahead = 1, unreadable, pixels }: PictureBatchesOptions = {},
): Observable<Lease<PictureBatch>> {
  const size = model.imageSize;
  const read = async (plan: SamplePlan<ImageItem>): Promise<Picture | UserError> => {
    try {
      const deep = deepFormat(pixels);
      if (deep) return await deepPicture(plan, size, deep);
      const picture = await readImage(plan.item.image);
      const { width, height, data } = resizeBilinear(picture, size.width, size.height);
      return { plan, width, height, image: data, picture };
    } catch (error) {
      if (!unreadable || !(error instanceof UserError)) throw error;
      return error;
    }
  };
  const readable = (results: readonly (Picture | UserError)[]) =>
    results.filter((result): result is Picture => {
      if (result instanceof UserError) unreadable?.(result);
      return !(result instanceof UserError);
    });
  const load = (plan: BatchPlan<ImageItem>): Observable<PictureBatch> =>
    from(Promise.all(plan.samples.map(read))).pipe(
      concatMap((pictures) => from(readable(pictures)).pipe(normalize(model.normalization), toArray())),
      map((samples) => batchOf(plan, samples, size, model.normalization.mean.length)),
    );
  return prefetch(batchPlans(images, { batchSize, seed: 0, shuffle: false }), load, { ahead });
}

/** A picture of other channels, and how it is shown. */
async function deepPicture(plan: SamplePlan<ImageItem>, size: Size, format: PixelFormat): Promise<Picture> {
  const read = await readChannels(plan.item.image, format);
  const { width, height } = read;
  const picture = { width, height, data: shownBytes({ width, height, image: read.data }) };
  const draft = { ...size, image: resizeChannels(read, size), edits: [] };
  return drafted({ plan, ...size, picture }, draft);
}

function batchOf(
  plan: BatchPlan<ImageItem>,
  samples: readonly Normalized<Picture>[],
  { width, height }: Size,
  channels: number,
): PictureBatch {
  const inputs = samples.length > 0 ? imageTensor(samples) : tensor4d([], [0, height, width, channels]);
  return {
    plan: { ...plan, samples: samples.map((sample) => sample.plan) },
    inputs,
    targets: noTargets(),
    pictures: samples.map(({ picture }) => picture),
    dispose: () => inputs.dispose(),
  };
}
