import {
  concat,
  concatMap,
  defer,
  EMPTY,
  mergeAll,
  type Observable,
  type OperatorFunction,
  of,
  Subject,
  takeUntil,
} from 'rxjs';
import type { TrialEvent } from '../src/events/event.js';
import type { Trial } from '../src/study/trial.js';
import { endEvent } from '../src/study/trial-event.js';

/**
 * Ends a trial's stream when the study's pruner says so: asks after each report that passes, holding back what
 * comes after it; then tells PRUNED, unsubscribes from the training, which frees its tensors, and completes with
 * a TrialEvent.
 *
 * Place it after `report`. Placed inside the lease, the training waits for the decision; outside, it goes on
 * meanwhile. The value of a pruned trial is its last report.
 *
 * @example
 * run(trial).pipe(report(trial, 'softDice'), prune(trial));
 */
export function prune<E>(trial: Trial): OperatorFunction<E | TrialEvent, E | TrialEvent> {
  return (events$) =>
    defer(() => {
      const stop$ = new Subject<void>();
      let pruned = false;
      const decide = async () => {
        if (!(await trial.shouldPrune())) return [];
        pruned = true;
        // Being told first, the trial is not taken for an unsubscribed one.
        const told = trial.study.tell(trial, null, { state: 'PRUNED' });
        stop$.next();
        return [endEvent(trial, await told)];
      };
      const pass = (event: E | TrialEvent): Observable<E | TrialEvent> => {
        if (pruned) return EMPTY;
        return isReport(event, trial) ? concat(of(event), defer(decide).pipe(mergeAll())) : of(event);
      };
      return events$.pipe(takeUntil(stop$), concatMap(pass));
    });
}

function isReport(event: unknown, { number, study }: Trial): boolean {
  const { type, study: name, number: of, state, step } = event as Partial<TrialEvent>;
  return (
    type === 'trial' && name === study.name && of === number && state === 'RUNNING' && step !== undefined
  );
}
