import { concatAll, concatMap, type OperatorFunction, pipe } from 'rxjs';
import type { Batch, Tensors } from '../src/data/batch.js';
import type { Event } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { Run } from '../src/train/run.js';

/**
 * Trains on each batch and emits a `StepEvent`, then an `EpochEvent` after the last batch of an epoch. Where the
 * schedule follows scores (`plateau`) and has heard none in a whole epoch, a `WarningEvent` says so once.
 *
 * Strictly one step after another. Stands inside the lease, first: what follows it there (`validate`, `checkpoint`)
 * sees the model as this step left it. Unsubscribing lets a step under way finish unheard; it frees its tensors.
 *
 * @throws UserError that names `--batch-size` where memory is out.
 *
 * @example
 * prefetch(run.plans(train), load, { ahead: 2 }).pipe(concatLease((batch$) => batch$.pipe(trainStep(run))));
 */
export function trainStep<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
): OperatorFunction<Batch<In, Target>, Event<S>> {
  return pipe(
    concatMap((batch: Batch<In, Target>) => run.step(batch)),
    concatAll(),
  );
}
