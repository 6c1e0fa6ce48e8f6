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
import type { NumberName, Scores, ScoresIn } from '../src/events/scores.js';
import { FinishedTrialError } from '../src/study/storage/storage.js';
import type { Trial } from '../src/study/trial.js';
import { reasonOf, shown } from '../src/study/trials/fail-reason.js';
import { TrialEndedError } from '../src/study/trials/trial-ended-error.js';
import { endEvent, trialEvent } from './trial-event.js';

/** A validation score by name, or what to read from an event: undefined where it has none. */
export type ReportedMetric<E> = NumberName<ScoresIn<E>> | ((event: E) => number | undefined);

export interface ReportOptions<E> {
  /** What the trial is told when its stream completes: the last value that was reported, or the best one. */
  readonly value?: 'last' | 'best';
  /**
   * The step of an event's report: by default its `epoch`, then its `step`, then the count of reports. Null: the
   * value counts at the end alone, and is not reported.
   */
  readonly step?: (event: E) => number | null | undefined;
  /** Errors that make the trial FAIL and end its stream quietly, so that the search goes on; by default none. */
  readonly catches?: (error: unknown) => boolean;
  /**
   * Whether a trial that is unsubscribed is queued again, as one whose process died is. For streams that only the
   * process's own end unsubscribes: where a rule does, as `timeout` would, the retry falls to the same rule for ever.
   */
  readonly retry?: boolean;
}

/**
 * Ties a trial's fate to its stream of events: reports a metric whenever an event carries it, and tells the study
 * how the stream ended.
 *
 * - completes: COMPLETE with the last value (FAIL where there was none, or NaN)
 * - is stopped by `guard`: PRUNED, so that what diverged is compared with nothing
 * - fails, also by a metric that is no number: FAIL with the error's message; the error goes on unless it is caught
 * - is unsubscribed: FAIL, "unsubscribed", unless `prune` has told before; with `retry` it waits to be run again
 * - the process dies: it stays RUNNING, to be found stale by its heartbeat
 * - was found stale by mistake: its stream ends with a warning, as its retry goes on elsewhere
 *
 * Every event passes; a TrialEvent comes first, after each report, and last. A report is stored before the next
 * event passes. With a metric for each objective nothing is reported on the way, as pruning knows one objective.
 *
 * @example
 * search(trial).pipe(report(trial, 'softDice'), prune(trial));
 */
export function report<E>(
  trial: Trial,
  metric: ReportedMetric<E> | readonly ReportedMetric<E>[],
  {
    value: told = 'last',
    step: stepOf = defaultStep,
    catches = () => false,
    retry = false,
  }: ReportOptions<E> = {},
): OperatorFunction<E, E | TrialEvent> {
  const { study } = trial;
  const { directions } = study.cache;
  const metrics = Array.isArray(metric)
    ? (metric as readonly ReportedMetric<E>[])
    : [metric as ReportedMetric<E>];
  if (metrics.length !== directions.length) {
    throw new UserError(
      `report: expected a metric for each of ${directions.length} objectives, got ${metrics.length}`,
    );
  }

  return (events$) =>
    defer(() => {
      const values: (number | undefined)[] = metrics.map(() => undefined);
      let reports = 0;
      let diverged = false;

      const keep = (i: number, value: number) => {
        const before = values[i];
        // NaN is neither better nor worse: it stands until there is a number, and replaces none.
        const better =
          before === undefined ||
          Number.isNaN(before) ||
          (directions[i] === 'maximize' ? value > before : value < before);
        if (told === 'last' || better) values[i] = value;
      };
      const pass = (event: E): Observable<E | TrialEvent> => {
        const { type, reason } = event as Partial<DoneEvent>;
        diverged ||= type === 'done' && reason === 'guard';
        const read = metrics.map((each) => valueOf(each, event));
        read.forEach((value, i) => value !== undefined && keep(i, value));
        const [value] = read;
        if (metrics.length > 1 || value === undefined) return of(event);
        const given = stepOf(event);
        if (given === null) return of(event);
        const step = given ?? reports;
        reports++;
        return defer(async () => {
          await trial.report(value, step);
          return [event, trialEvent(trial, 'RUNNING', { step, value })];
        }).pipe(mergeAll(), (report$) => concat(report$, decided));
      };
      const decided = defer(() => trial.deciding).pipe(ignoreElements());
      const completed = defer(async () => {
        if (diverged) return endEvent(trial, await study.tell(trial, null, { state: 'PRUNED' }));
        const all = values.filter((value) => value !== undefined);
        return endEvent(trial, await study.tell(trial, all.length === 0 ? null : all));
      });
      const failed = (error: unknown) => {
        if (trial.told) return throwError(() => error);
        const reason = reasonOf(error);
        const after = error instanceof FinishedTrialError || catches(error) ? EMPTY : throwError(() => error);
        const event$ = defer(async () =>
          endEvent(trial, await study.tell(trial, null, { state: 'FAIL', reason })),
        );
        return concat(event$.pipe(catchError(lost)), after);
      };
      const lost = (error: unknown) => {
        if (!(error instanceof TrialEndedError)) throw error;
        study.warn('trial', error.message);
        return EMPTY;
      };
      const unsubscribed = () => {
        if (trial.told) return;
        study
          .tell(trial, null, { state: 'FAIL', reason: 'unsubscribed', retry })
          .catch((error: Error) => study.warn('trial', error.message));
      };

      return concat(
        defer(() => of(trialEvent(trial, 'RUNNING'))),
        from(events$).pipe(concatMap(pass)),
        completed.pipe(catchError(lost)),
      ).pipe(catchError(failed), finalize(unsubscribed));
    });
}

function valueOf<E>(metric: ReportedMetric<E>, event: E): number | undefined {
  const value: unknown = typeof metric === 'function' ? metric(event) : scoreOf(metric, event);
  if (value === undefined || typeof value === 'number') return value;
  throw new UserError(
    `report: expected a metric that is a number, or undefined where an event has none, got ${shown(value)}`,
    { value },
  );
}

function scoreOf(name: string, event: unknown): unknown {
  const { type, scores } = event as { type?: unknown; scores?: Scores };
  return type === 'validation' ? scores?.[name] : undefined;
}

function defaultStep(event: unknown): number | undefined {
  const { epoch, step } = event as { epoch?: number; step?: number };
  return epoch ?? step;
}
