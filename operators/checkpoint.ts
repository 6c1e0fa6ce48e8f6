import { concat, concatAll, defer, type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Tensors } from '../src/data/batch.js';
import type { Event } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { Run } from '../src/train/run.js';

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /** Default `epoch`. */
  readonly every?: Every;
  /** Whose scores choose the best. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and saves the run when the work on the last batch of an epoch, or of a given number of steps, has
 * completed: the `CheckpointEvent` is the last event of that batch. Weights that were scored are saved in any case,
 * since they may be the best; weights that are not finite are not, so that the last checkpoint stays a good one: a
 * `WarningEvent` of code `not-saved` says so.
 *
 * Stands inside the lease, last: it sees the batch's validation scores, the next step waits for it, and observers
 * outside (early stopping, the guard) have told the run what they remember before it is saved.
 *
 * @example
 * batch$.pipe(trainStep(run), checkpoint(run));
 */
export function checkpoint<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  { every = 'epoch', split = 'validation' }: CheckpointOptions = {},
): MonoTypeOperatorFunction<Event<S>> {
  checkEvery(every);
  void run.checkpoints;
  return (events$) =>
    defer(() => {
      let due = false;
      let epoch = 0;
      let scores: Scores | undefined;
      return concat(
        events$.pipe(
          tap((event) => {
            if (event.type === 'step') epoch = event.epoch;
            if (event.type === 'validation' && event.split === split) scores = event.scores;
            due ||= isDue(every, event) || scores !== undefined;
          }),
        ),
        defer(async () => (due ? [await run.save(epoch, scores)] : [])).pipe(concatAll()),
      );
    });
}
