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
import { FinishedTrialError } from '../src/study/storage/storage.js';
import type { Trial } from '../src/study/trial.js';
import { reasonOf } from '../src/study/trials/fail-reason.js';
import { TrialEndedError } from '../src/study/trials/trial-ended-error.js';
import { endEvent } from './trial-event.js';

/**
 * Ends a trial's stream when the study's pruner decides so: asks it after each report and holds later events back
 * meanwhile; then tells PRUNED, unsubscribes from the training, which frees its tensors, and completes with a
 * TrialEvent.
 *
 * Place it right after `report`, which waits for the decision before it tells that the trial is complete: the last
 * report may prune, too. Placed inside the lease, the training waits as well; outside, it goes on meanwhile. The
 * value of a pruned trial is its last report.
 *
 * @example
 * search(trial).pipe(report(trial, 'softDice'), prune(trial));
 */
export function prune<E>(trial: Trial): OperatorFunction<E | TrialEvent, E | TrialEvent> {
  const { study } = trial;
  return (events$) =>
    defer(() => {
      const stop$ = new Subject<void>();
      let isEnded = false;
      /** Telling first keeps the trial from counting as unsubscribed. */
      const end = async () => {
        isEnded = true;
        const ending = study.tell(trial, null, { state: 'PRUNED' });
        stop$.next();
        return [endEvent(trial, await ending)];
      };
      const decide = async () => {
        try {
          return !trial.told && (await trial.shouldPrune()) && !trial.told ? await end() : [];
        } catch (error) {
          // Found stale meanwhile: its retry goes on elsewhere.
          const wasEnded = error instanceof TrialEndedError || error instanceof FinishedTrialError;
          if (!wasEnded && !trial.told) {
            await study.tell(trial, null, { state: 'FAIL', reason: reasonOf(error) });
          }
          if (!wasEnded) throw error;
          if (error instanceof TrialEndedError) study.warn('trial', error.message);
          isEnded = true;
          stop$.next();
          return [];
        }
      };
      const pass = (event: E | TrialEvent): Observable<E | TrialEvent> => {
        if (isEnded) return EMPTY;
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
