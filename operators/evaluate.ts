import { concat, concatMap, defer, ignoreElements, type Observable, of } from 'rxjs';
import { dispose, tidy } from '../src/base/tfjs-core.js';
import { type Batch, shapeOf, type Tensors } from '../src/data/batch.js';
import { memoryHint } from '../src/engine/out-of-memory.js';
import type { Scores } from '../src/events/scores.js';
import type { Extras } from '../src/model/loss.js';
import type { Metrics } from '../src/model/metrics.js';
import type { Model } from '../src/model/model.js';
import { concatLease } from './concat-lease.js';
import type { Lease } from './lease.js';

/** Scores, and the number of samples behind them. */
export interface Evaluation<S extends Scores = Scores> {
  readonly scores: S;
  /** Samples that were scored. */
  readonly images: number;
}

/**
 * Scores a model on a split: one `Evaluation` when all batches are done. Cold, and without dropout.
 *
 * @example
 * const batches$ = prefetch(batchPlans(test, { batchSize: 8, seed, shuffle: false }), load, { ahead: 2 });
 * const metrics = segmentationMetrics({ classes: 3, loss: logCoshDice() });
 * const { scores } = await lastValueFrom(evaluate(model, batches$, metrics));
 */
export function evaluate<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  model: Model<In, Out>,
  batches$: Observable<Lease<Batch<In, Target>>>,
  metrics: () => Metrics<Out, Target, S>,
): Observable<Evaluation<S>> {
  return defer(() => {
    const all = metrics();
    let images = 0;
    const add = async (batch: Batch<In, Target>) => {
      await addBatch(all, model, batch);
      images += shapeOf(batch.inputs)[0]!;
    };
    return concat(
      batches$.pipe(
        concatLease((batch$) => batch$.pipe(concatMap(add))),
        ignoreElements(),
      ),
      defer(() => of({ scores: all.scores(), images })),
    );
  });
}

/** Runs the model on a batch, without dropout, and adds its scores. The batch stays the caller's. */
async function addBatch<In extends Tensors, Out extends Tensors, Target extends Tensors>(
  metrics: Metrics<Out, Target>,
  model: Model<In, Out>,
  { inputs, targets }: Batch<In, Target>,
): Promise<void> {
  let said: { outputs: Out; extras?: Extras } | undefined;
  try {
    said = tidy(() => {
      let extras: Extras | undefined;
      const outputs = model.forward(inputs, {
        extras: (given) => {
          extras = given;
        },
      });
      return { outputs, ...(extras && { extras }) };
    });
    await metrics.add(said.outputs, targets, said.extras);
  } catch (error) {
    throw memoryHint(error, shapeOf(inputs));
  } finally {
    if (said) dispose(said);
  }
}
