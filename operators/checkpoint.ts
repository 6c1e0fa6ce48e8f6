import { concat, concatAll, defer, type OperatorFunction, tap } from 'rxjs';
import type { CheckpointEvent, Event, WarningEvent } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { CheckpointStore } from '../src/train/checkpoint-store.js';
import { checkEvery, type Every, isDue } from '../src/train/every.js';
import type { Training } from '../src/train/training.js';

export interface CheckpointOptions {
  readonly every: Every;
  /** Whose scores choose the best. Default `validation`. */
  readonly split?: string;
}

/**
 * Passes events on, and saves the training once the work on a batch that ended an epoch, or a stretch of so many
 * steps, has completed: a `CheckpointEvent` is then the last of that batch. Weights that were scored are saved in any
 * case, since they may be the best; weights that are not finite are not, so that the last checkpoint stays a good one: a
 * `WarningEvent` of code `not-saved` says so.
 *
 * Stands inside the lease, last: it sees the batch's validation scores, the next step waits for it, and observers
 * outside (early stopping, the guard) have put what they remember into `training.memory` before it is saved.
 *
 * @example
 * batch$.pipe(trainStep(training), checkpoint(training, store, { every: 'epoch' }));
 */
export function checkpoint<E extends Event>(
  training: Training,
  store: CheckpointStore,
  { every, split = 'validation' }: CheckpointOptions,
): OperatorFunction<E, E | CheckpointEvent | WarningEvent> {
  checkEvery(every);
  return (events$) =>
    defer(() => {
      let due = false;
      let epoch = 0;
      let scores: Scores | undefined;
      return concat(
        events$.pipe(
          tap((given) => {
            const event: Event = given;
            if (event.type === 'step') epoch = event.epoch;
            if (event.type === 'validation' && event.split === split) scores = event.scores;
            due ||= isDue(every, event) || scores !== undefined;
          }),
        ),
        defer(async () => (due ? [await save(training, store, epoch, scores)] : [])).pipe(concatAll()),
      );
    });
}

async function save(
  training: Training,
  store: CheckpointStore,
  epoch: number,
  scores: Scores | undefined,
): Promise<CheckpointEvent | WarningEvent> {
  const step = training.position;
  if (!(await training.finite())) {
    const message = `step ${step} was not saved: some of its weights are not finite`;
    return { type: 'warning', time: Date.now(), code: 'not-saved', message };
  }
  const { path, best } = await store.save(training, scores ? { epoch, scores } : { epoch });
  return { type: 'checkpoint', time: Date.now(), path, step, epoch, best };
}
