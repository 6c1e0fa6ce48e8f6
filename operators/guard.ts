import { catchError, concatMap, defer, from, type ObservableInput, type OperatorFunction, of } from 'rxjs';
import type { DoneEvent, Event, WarningEvent } from '../src/events/event.js';
import { metricOf } from '../src/events/metric.js';
import type { MetricName, Scores, ScoresIn } from '../src/events/scores.js';
import type { Memory } from '../src/train/training.js';
import { stopWhen } from './stop-when.js';

export interface GuardOptions<S extends Scores = Scores> {
  /** A score that rises, watched for collapse. Default `softDice`. */
  readonly metric?: Exclude<MetricName<S>, 'loss'>;
  /** A validation below this share of the best one is bad. Default 0.5. */
  readonly collapse?: number;
  /** So many bad validations in a row are a collapse. Default 2. */
  readonly patience?: number;
  /** A loss above this many times the run's first one, or above this number where that was below 1. Default 100. */
  readonly explosion?: number;
  /** Default `validation`. */
  readonly split?: string;
  /** Where to remember: give `training.memory`, so that a resumed run is guarded as an unbroken one. */
  readonly memory?: Memory;
  /**
   * Puts the training back to its last checkpoint when the run is stopped, and says of which step that was, or
   * undefined where there is none: `() => restoreLast(training, store)`. The run can then be subscribed again from
   * `training.position`.
   */
  readonly restore?: () => ObservableInput<number | undefined>;
}

/** By how much a score must have fallen, too: below it, a low score's ups and downs are chance. */
const FALL = 0.1;

/**
 * Ends a run that has gone wrong: a loss or gradient that is NaN or infinite, a loss that explodes, or a validation
 * score that collapses. Says so by a `WarningEvent` (`code` `not-finite`, `explosion` or `collapse`), which says what
 * was restored, and ends with a `DoneEvent` of reason `guard`.
 *
 * An explosion is measured by what an untrained model loses, and not by the last steps: with sparse foreground a healthy
 * loss is 0.001 for a hundred pictures and 0.3 for the next. A collapse is a fall to less than half of the best score,
 * by more than 0.1, twice in a row.
 *
 * Stands outside the lease: it sees each event before the checkpoint of that batch is written, so a bad state is not
 * saved. `failIfDiverged` turns such an end into an error.
 *
 * @example
 * guard({ memory: training.memory, restore: () => restoreLast(training, store) });
 */
export function guard<E extends Event>(
  options: GuardOptions<ScoresIn<E>> = {},
): OperatorFunction<E, E | WarningEvent | DoneEvent> {
  return stopWhen<E, WarningEvent | DoneEvent>(() => {
    const memory = options.memory ?? {};
    const started = performance.now();
    return (event) => {
      const trouble = judge(event, (memory.guard ??= { first: null, best: null, bad: 0 }), options);
      if (!trouble || !('step' in event)) return undefined;
      const { step, epoch } = event as Event & { readonly step: number; readonly epoch: number };
      return restored(options.restore).pipe(
        concatMap((what) => {
          const message = `${trouble.message} at step ${step}: the run was stopped${what}`;
          const seconds = (performance.now() - started) / 1000;
          return [
            { type: 'warning', time: Date.now(), code: trouble.code, message },
            { type: 'done', time: Date.now(), reason: 'guard', step, epoch, seconds },
          ] as const;
        }),
      );
    };
  });
}

/** What was restored, in words that go on with a sentence. */
function restored(restore: GuardOptions['restore']) {
  if (!restore) return of('');
  return defer(() => from(restore())).pipe(
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

type Trouble = Pick<WarningEvent, 'code' | 'message'>;

function judge(
  event: Event,
  state: Record<string, number | null>,
  {
    metric = 'softDice',
    collapse = 0.5,
    patience = 2,
    explosion = 100,
    split = 'validation',
  }: Omit<GuardOptions, 'metric'> & { readonly metric?: string },
): Trouble | undefined {
  if (event.type === 'step') {
    const { loss, gradientNorm } = event;
    if (!Number.isFinite(loss)) return { code: 'not-finite', message: `the loss became ${loss}` };
    if (!Number.isFinite(gradientNorm))
      return { code: 'not-finite', message: `the norm of the gradients became ${gradientNorm}` };
    state.first ??= loss;
    if (loss > explosion * Math.max(1, state.first))
      return { code: 'explosion', message: `the loss rose from ${state.first} at first to ${loss}` };
  }
  if (event.type === 'validation' && event.split === split) {
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
