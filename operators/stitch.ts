import type { Tensor } from '@tensorflow/tfjs-core';
import { concatAll, concatMap, type OperatorFunction } from 'rxjs';
import { tidy } from '../src/base/tfjs-core.js';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { Tiled } from '../src/data/images/tiles.js';
import type { ImageItem } from '../src/data/types.js';
import type { Model } from '../src/model/model.js';
import { type Stitched, Stitcher } from '../src/tasks/segmentation/stitcher.js';

/** A picture's stitched prediction, with the last of its tiles. */
export interface StitchedPicture<I extends ImageItem = ImageItem> extends Stitched {
  readonly item: Tiled<I>;
}

/**
 * Runs a segmenter on batches of tiles, in the order of `cutTiles`, and emits each picture at its own size when its last
 * tile is done; see `Stitcher`. Batches may hold tiles of several pictures. Stands inside the lease.
 *
 * @example
 * const tiles = await cutTiles(test, { tiles: 256 });
 * prefetch(batchPlans(tiles, { batchSize: 4, seed, shuffle: false }), load, { ahead: 1 }).pipe(
 *   concatLease((batch$) => batch$.pipe(stitch(model, new Stitcher(3)))),
 * );
 */
export function stitch<I extends ImageItem>(
  model: Model<Tensor, Tensor>,
  stitcher: Stitcher,
): OperatorFunction<Batch<Tensor, Tensors>, StitchedPicture<I>> {
  return (batches$) =>
    batches$.pipe(
      concatMap((batch) => stitchedOf<I>(model, stitcher, batch)),
      concatAll(),
    );
}

async function stitchedOf<I extends ImageItem>(
  model: Model<Tensor, Tensor>,
  stitcher: Stitcher,
  { plan, inputs }: Batch<Tensor, Tensors>,
): Promise<StitchedPicture<I>[]> {
  const logits = tidy(() => model.forward(inputs));
  try {
    const [, rows, columns, classes] = logits.shape as [number, number, number, number];
    const values = (await logits.data()) as Float32Array;
    const size = rows * columns * classes;
    return plan.samples.flatMap(({ item }, i) => {
      const { tile } = item as Tiled<I>;
      const picture = stitcher.add(values.subarray(i * size, (i + 1) * size), { rows, columns }, tile);
      return picture ? [{ ...picture, item: item as Tiled<I> }] : [];
    });
  } finally {
    logits.dispose();
  }
}
