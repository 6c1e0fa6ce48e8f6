import { concat, concatMap, defer, ignoreElements, type Observable, of } from 'rxjs';
import type { Batch } from '../src/data/types.js';
import type { Scores } from '../src/events/event.js';
import type { Model } from '../src/model/parameters.js';
import { Scorer, type ScoringOptions } from '../src/tasks/segmentation/metrics/scorer.js';
import { concatLease } from './concat-lease.js';
import type { Lease } from './lease.js';

/** Scores, and of how many images. */
export interface Evaluation {
  readonly scores: Scores;
  readonly images: number;
}

/**
 * Scores a model on a split: one `Evaluation` when all batches are done. Cold, and without dropout.
 *
 * @example
 * const batches$ = prefetch(batchPlans(test, { batchSize: 8, seed, shuffle: false }), load, { ahead: 2 });
 * const { scores } = await lastValueFrom(evaluate(model, batches$, { classes: 3, loss: logCoshDice() }));
 */
export function evaluate(
  model: Model,
  batches$: Observable<Lease<Batch>>,
  options: ScoringOptions,
): Observable<Evaluation> {
  return defer(() => {
    const scorer = new Scorer(options);
    return concat(
      batches$.pipe(
        concatLease((batch$) => batch$.pipe(concatMap((batch) => scorer.score(model, batch)))),
        ignoreElements(),
      ),
      defer(() => of({ scores: scorer.scores(), images: scorer.images })),
    );
  });
}
