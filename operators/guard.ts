import {
  catchError,
  concatMap,
  defer,
  from,
  type MonoTypeOperatorFunction,
  type ObservableInput,
  of,
} from 'rxjs';
import { doneEvent } from '../src/events/done-event.js';
import type { Event, WarningEvent } from '../src/events/event.js';
import { metricOf, modeOf } from '../src/events/metric.js';
import type { MetricName, Scores } from '../src/events/scores.js';
import { warningEvent } from '../src/events/warning-event.js';
import type { Memory } from '../src/train/run-state.js';
import { stopWhen } from './stop-when.js';

/** Options of `guard`. */
export interface GuardOptions<S extends Scores = Scores> {
  /**
   * The score that is watched for a collapse; higher must be better. Default: the run's, where that rises; else none
   * is watched.
   */
  readonly metric?: Exclude<MetricName<S>, 'loss'>;
  /** A validation below this share of the best one is bad. Default 0.5. */
  readonly collapse?: number;
  /** The number of bad validations in a row that counts as a collapse. Default 2. */
  readonly patience?: number;
  /**
   * A loss above this multiple of the run's first loss, or of 1 if that was lower, counts as an explosion. Default
   * 100.
   */
  readonly explosion?: number;
  /** Default `validation`. */
  readonly split?: string;
}

/** The part of a run that the guard uses. */
export interface GuardedRun<S extends Scores = Scores> {
  readonly metric?: MetricName<S>;
  readonly memory: Memory;
  /**
   * Puts the run back to its last checkpoint and returns that checkpoint's step; undefined if there is none.
   */
  restoreLast?(): ObservableInput<number | undefined>;
}

/** The least absolute fall of a score that counts: below it, the fluctuation of a low score is noise. */
const FALL = 0.1;

/**
 * Ends a run that has gone wrong: a loss or gradient that is NaN or infinite, a loss that explodes, or a validation
 * score that collapses. Says so by a `WarningEvent` (`code` `not-finite`, `explosion` or `collapse`), which says what
 * was restored, and ends with a `DoneEvent` of reason `guard`.
 *
 * A step that f16's loss scale skipped is no trouble as long as its loss is finite.
 *
 * An explosion is measured by what an untrained model loses, and not by the last steps: with sparse foreground a healthy
 * loss is 0.001 for a hundred pictures and 0.3 for the next. A collapse is a fall to less than half of the best score,
 * by more than 0.1, twice in a row.
 *
 * Stands outside the lease: it sees each event before the checkpoint of that batch is written, so a bad state is not
 * saved. A run that keeps checkpoints is put back to its last one, and may be
 * subscribed again from there. `failIfDiverged` turns such an end into an error.
 *
 * @example
 * prefetch(run.plans(train), load, { ahead: 2 }).pipe(concatLease((batch$) => batch$.pipe(trainStep(run))), guard(run));
 */
export function guard<S extends Scores>(
  run: GuardedRun<S>,
  options: GuardOptions<S> = {},
): MonoTypeOperatorFunction<Event<S>> {
  return stopWhen<S>(() => {
    const started = performance.now();
    const metric = options.metric ?? risingOf(run.metric);
    return (event) => {
      const trouble = judge(event, (run.memory.guard ??= { first: null, best: null, bad: 0 }), {
        ...options,
        metric,
      });
      if (!trouble || !('step' in event)) return undefined;
      const { step, epoch } = event as Event & { readonly step: number; readonly epoch: number };
      return restored(run).pipe(
        concatMap((what): Event<S>[] => {
          const message = `${trouble.message} at step ${step}: the run was stopped${what}`;
          return [warningEvent(trouble.code, message), doneEvent('guard', { step, epoch }, started)];
        }),
      );
    };
  });
}

/** The restored checkpoint, as the end of a sentence. */
function restored(run: Pick<GuardedRun, 'restoreLast'>) {
  if (!run.restoreLast) return of('');
  return defer(() => from(run.restoreLast!())).pipe(
    concatMap((step) =>
      of(
        step === undefined
          ? '; there is no checkpoint to restore'
          : `, and the checkpoint of step ${step} restored`,
      ),
    ),
    catchError((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      return of(`, but its last checkpoint could not be restored: ${why}`);
    }),
  );
}

/** The metric, if higher is better. */
function risingOf<M extends string>(metric: M | undefined): M | undefined {
  return metric !== undefined && modeOf(metric) === 'max' ? metric : undefined;
}

type Trouble = Pick<WarningEvent, 'code' | 'message'>;

function judge(
  event: Event,
  state: Record<string, number | null>,
  { metric, collapse = 0.5, patience = 2, explosion = 100, split = 'validation' }: GuardOptions,
): Trouble | undefined {
  if (event.type === 'step') {
    const { loss, gradientNorm, skipped } = event;
    if (!Number.isFinite(loss)) return { code: 'not-finite', message: `the loss became ${loss}` };
    // A step that the loss scale skipped changed nothing.
    if (!skipped && !Number.isFinite(gradientNorm))
      return { code: 'not-finite', message: `the norm of the gradients became ${gradientNorm}` };
    state.first ??= loss;
    if (loss > explosion * Math.max(1, state.first))
      return { code: 'explosion', message: `the loss rose from ${state.first} at first to ${loss}` };
  }
  if (event.type === 'validation' && event.split === split && metric !== undefined) {
    const value = metricOf(event.scores, metric);
    if (!Number.isFinite(value)) return { code: 'not-finite', message: `${metric} became ${value}` };
    const best = state.best ?? value;
    state.best = Math.max(best, value);
    state.bad = value < collapse * best && best - value > FALL ? (state.bad ?? 0) + 1 : 0;
    if (state.bad >= patience)
      return { code: 'collapse', message: `${metric} fell from ${best} to ${value}` };
  }
  return undefined;
}
