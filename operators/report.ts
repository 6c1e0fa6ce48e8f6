import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  from,
  ignoreElements,
  mergeAll,
  type Observable,
  type OperatorFunction,
  of,
  throwError,
} from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { DoneEvent, TrialEvent } from '../src/events/event.js';
import { FinishedTrialError } from '../src/study/storage/storage.js';
import type { TellOptions } from '../src/study/tell-options.js';
import type { Trial } from '../src/study/trial.js';
import { reasonOf } from '../src/study/trials/fail-reason.js';
import { TrialEndedError } from '../src/study/trials/trial-ended-error.js';
import { metricValue, type ReportedMetric, ReportedValues } from './reported-metric.js';
import { endEvent, trialEvent } from './trial-event.js';

/** Options of `report`. */
export interface ReportOptions<E> {
  /** The value of a trial whose stream completes: the last one reported, or the best one. Default `last`. */
  readonly value?: 'last' | 'best';
  /**
   * The step of an event's report: by default its `epoch`, else its `step`, else the count of reports so far. With
   * null the value is not reported, and counts only at the end.
   */
  readonly step?: (event: E) => number | null | undefined;
  /** Errors that make the trial FAIL but complete its stream, so that the search goes on. Default none. */
  readonly catches?: (error: unknown) => boolean;
  /**
   * Whether an unsubscribed trial is queued again, like one whose process died. Only for streams that nothing but the
   * end of the process unsubscribes: a rule such as `timeout` would stop each retry as well, forever.
   */
  readonly retry?: boolean;
}

/**
 * Ties a trial to its stream of events: reports a metric whenever an event carries it, and tells the study how the
 * stream ended.
 *
 * | the stream | the trial |
 * |---|---|
 * | completes | COMPLETE with the last value; FAIL if there was none, or it is NaN |
 * | is stopped by `guard` | PRUNED, so that a diverged run is not compared with others |
 * | fails, or the metric is not a number | FAIL with the error's message; the error is passed on unless `catches` it |
 * | is unsubscribed | FAIL, "unsubscribed", unless `prune` ended it first; with `retry` it is queued again |
 * | ends with its process | RUNNING until its heartbeat is found stale |
 * | was found stale by mistake | unchanged: the stream ends with a warning, and the retry runs elsewhere |
 *
 * Every event passes. A TrialEvent comes first, after each report, and last; a report is stored before the next event
 * passes. With several objectives nothing is reported on the way, since pruning knows only one.
 *
 * @example
 * search(trial).pipe(report(trial, 'softDice'), prune(trial));
 */
export function report<E>(
  trial: Trial,
  metric: ReportedMetric<E> | readonly ReportedMetric<E>[],
  {
    value: which = 'last',
    step: stepOf = defaultStep,
    catches = () => false,
    retry = false,
  }: ReportOptions<E> = {},
): OperatorFunction<E, E | TrialEvent> {
  const { directions } = trial.study.cache;
  const metrics = [metric].flat() as ReportedMetric<E>[];
  if (metrics.length !== directions.length) {
    throw new UserError(
      `report: expected a metric for each of ${directions.length} objectives, got ${metrics.length}`,
    );
  }

  return (events$) =>
    defer(() => {
      const values = new ReportedValues(directions, which);
      let reports = 0;
      let diverged = false;

      const pass = (event: E): Observable<E | TrialEvent> => {
        diverged ||= isDivergence(event);
        const scores = metrics.map((each) => metricValue(each, event));
        values.add(scores);
        const [value] = scores;
        if (metrics.length > 1 || value === undefined) return of(event);
        const step = stepOf(event);
        if (step === null) return of(event);
        const count = reports++;
        return storeReport(trial, event, step ?? count, value);
      };

      const completed$ = defer(() =>
        diverged ? tellEnd(trial, null, { state: 'PRUNED' }) : tellEnd(trial, values.all),
      );
      const fail = (error: unknown) => {
        if (trial.told) return throwError(() => error);
        const after$ =
          error instanceof FinishedTrialError || catches(error) ? EMPTY : throwError(() => error);
        return concat(tellEnd(trial, null, { state: 'FAIL', reason: reasonOf(error) }), after$);
      };

      return concat(
        defer(() => of(trialEvent(trial, 'RUNNING'))),
        from(events$).pipe(concatMap(pass)),
        completed$,
      ).pipe(
        catchError(fail),
        finalize(() => tellUnsubscribed(trial, retry)),
      );
    });
}

/** Stores a report; then come the event, the TrialEvent, and the pruner's decision on it. */
function storeReport<E>(trial: Trial, event: E, step: number, value: number): Observable<E | TrialEvent> {
  const decided$ = defer(() => trial.deciding).pipe(ignoreElements());
  return defer(async () => {
    await trial.report(value, step);
    return [event, trialEvent(trial, 'RUNNING', { step, value })];
  }).pipe(mergeAll(), (report$) => concat(report$, decided$));
}

/** Tells the study how the trial ended, and emits its last event; a warning instead where it was found stale. */
function tellEnd(
  trial: Trial,
  values: readonly number[] | null,
  options?: TellOptions,
): Observable<TrialEvent> {
  return defer(async () => endEvent(trial, await trial.study.tell(trial, values, options))).pipe(
    catchError((error: unknown) => {
      if (!(error instanceof TrialEndedError)) throw error;
      trial.study.warn('trial', error.message);
      return EMPTY;
    }),
  );
}

function tellUnsubscribed(trial: Trial, retry: boolean): void {
  if (trial.told) return;
  trial.study
    .tell(trial, null, { state: 'FAIL', reason: 'unsubscribed', retry })
    .catch((error: Error) => trial.study.warn('trial', error.message));
}

function isDivergence(event: unknown): boolean {
  const { type, reason } = event as Partial<DoneEvent>;
  return type === 'done' && reason === 'guard';
}

function defaultStep(event: unknown): number | undefined {
  const { epoch, step } = event as { epoch?: number; step?: number };
  return epoch ?? step;
}
