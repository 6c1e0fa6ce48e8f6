import type { Tensor } from '@tensorflow/tfjs-core';
import { concatMap, type Observable, take, toArray } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { Model } from '../src/model/model.js';
import { writeOverlays } from '../src/tasks/segmentation/overlays.js';
import { concatLease } from './concat-lease.js';
import type { Lease } from './lease.js';
import { IMAGENET, type Normalization } from './normalize.js';
import { predict } from './predict.js';

/** Options of `overlays`. */
export interface OverlaysOptions {
  /** The number of samples. Default 4. */
  readonly count?: number | undefined;
  /** A colour for each class, as `#rrggbb`, such as `classColours` gives. Default: distinct ones. */
  readonly colours?: readonly string[] | undefined;
}

/**
 * Writes a sheet of the first few samples as input | target | prediction, and completes. Cold; emits once.
 *
 * Without masks (`noTargets`) the sheet has no targets.
 *
 * @example
 * concat(training$, overlays(model, inOrder(test)(), 'plots/run/overlays.png', ['pet', 'background', 'border']));
 */
export function overlays(
  model: Model & { readonly normalization?: Normalization },
  batches$: Observable<Lease<Batch<Tensor, Tensors>>>,
  path: string,
  classes: readonly string[],
  { count = 4, colours }: OverlaysOptions = {},
): Observable<void> {
  return batches$.pipe(
    concatLease((batch$) => batch$.pipe(predict(model, model.normalization ?? IMAGENET))),
    take(count),
    toArray(),
    concatMap((rows) => writeOverlays(path, rows, classes, colours)),
  );
}
