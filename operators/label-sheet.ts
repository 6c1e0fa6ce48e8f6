import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { concatMap, type Observable, toArray } from 'rxjs';
import type { Batch } from '../src/data/batch.js';
import type { Model } from '../src/model/model.js';
import { someOf, writeLabelSheet } from '../src/tasks/classification/label-sheet.js';
import { concatLease } from './concat-lease.js';
import type { Lease } from './lease.js';
import { IMAGENET, type Normalization } from './normalize.js';
import { predictLabels } from './predict-labels.js';

/**
 * Writes a sheet of right and wrong predictions of a classifier, and completes. Cold; emits once.
 *
 * @see overlays for masks
 * @param count how many pictures, half of them wrong ones where there are
 */
export function labelSheet(
  model: Model<Tensor, Tensor2D> & { readonly normalization?: Normalization },
  batches$: Observable<Lease<Batch<Tensor, Tensor1D>>>,
  path: string,
  classes: readonly string[],
  count = 12,
): Observable<void> {
  return batches$.pipe(
    concatLease((batch$) => batch$.pipe(predictLabels(model, model.normalization ?? IMAGENET))),
    toArray(),
    concatMap((rows) => writeLabelSheet(path, someOf(rows, count), classes)),
  );
}
