import { concatAll, defer, type OperatorFunction } from 'rxjs';
import type { DoneEvent, Event, WarningEvent } from '../src/events/event.js';
import { type Metric, metricOf } from '../src/train/metrics/metric.js';
import type { Memory } from '../src/train/training.js';
import { stopWhen } from './stop-when.js';

export interface GuardOptions {
  /** A score that rises, watched for collapse. Default `softDice`. */
  readonly metric?: Exclude<Metric, 'loss'>;
  /** A validation below this share of the best one is bad. Default 0.5. */
  readonly collapse?: number;
  /** So many bad validations in a row are a collapse. Default 2. */
  readonly patience?: number;
  /** A loss above this many times the mean of the last steps is an explosion. Default 100. */
  readonly explosion?: number;
  /** Default `validation`. */
  readonly split?: string;
  /** Where to remember: give `training.memory`, so that a resumed run is guarded as an unbroken one. */
  readonly memory?: Memory;
  /**
   * Called when the run was stopped, e.g. `async () => restore(training, await store.load())`: the model is then left
   * in its last good state, and the run can be subscribed again from `training.position`.
   */
  readonly restore?: () => Promise<unknown>;
}

/**
 * Ends a run that has gone wrong: a loss or gradient that is NaN or infinite, a loss that explodes, or a validation
 * score that collapses. Says so by a `WarningEvent` (`code` `not-finite`, `explosion` or `collapse`), restores the last
 * good state where it is told how, and ends with a `DoneEvent` of reason `guard`.
 *
 * Stands outside the lease: it sees each event before the checkpoint of that batch is written, so a bad state is not
 * saved.
 *
 * @example
 * guard({ memory: training.memory, restore: async () => restore(training, await store.load()) });
 */
export function guard<E extends Event>(
  options: GuardOptions = {},
): OperatorFunction<E, E | WarningEvent | DoneEvent> {
  return stopWhen<E, WarningEvent | DoneEvent>(() => {
    const memory = options.memory ?? {};
    const started = performance.now();
    return (event) => {
      const trouble = judge(event, (memory.guard ??= { loss: null, best: null, bad: 0 }), options);
      if (!trouble || !('step' in event)) return undefined;
      const { step, epoch } = event as Event & { readonly step: number; readonly epoch: number };
      return defer(async () => {
        await options.restore?.();
        const message = `${trouble.message} at step ${step}: the run was stopped${options.restore ? ' and the last good state restored' : ''}`;
        const seconds = (performance.now() - started) / 1000;
        return [
          { type: 'warning', time: Date.now(), code: trouble.code, message },
          { type: 'done', time: Date.now(), reason: 'guard', step, epoch, seconds },
        ] as const;
      }).pipe(concatAll());
    };
  });
}

type Trouble = Pick<WarningEvent, 'code' | 'message'>;

function judge(
  event: Event,
  state: Record<string, number | null>,
  { metric = 'softDice', collapse = 0.5, patience = 2, explosion = 100, split = 'validation' }: GuardOptions,
): Trouble | undefined {
  if (event.type === 'step') {
    const { loss, gradientNorm } = event;
    if (!Number.isFinite(loss)) return { code: 'not-finite', message: `the loss became ${loss}` };
    if (!Number.isFinite(gradientNorm))
      return { code: 'not-finite', message: `the norm of the gradients became ${gradientNorm}` };
    const usual = state.loss ?? loss;
    if (usual > 0 && loss > explosion * usual)
      return { code: 'explosion', message: `the loss rose from about ${usual} to ${loss}` };
    state.loss = 0.9 * usual + 0.1 * loss;
  }
  if (event.type === 'validation' && event.split === split) {
    const value = metricOf(event.scores, metric);
    if (!Number.isFinite(value)) return { code: 'not-finite', message: `${metric} became ${value}` };
    const best = state.best ?? value;
    state.best = Math.max(best, value);
    state.bad = value < collapse * best ? (state.bad ?? 0) + 1 : 0;
    if (state.bad >= patience)
      return { code: 'collapse', message: `${metric} fell from ${best} to ${value}` };
  }
  return undefined;
}
