import { concat, defer, type OperatorFunction, tap } from 'rxjs';
import type { DoneEvent, Event } from '../src/events/event.js';

/**
 * Ends a run's events with a `DoneEvent` of reason `finished`, unless they have ended with another (`earlyStop`,
 * `guard`). Stands after those, before the loggers.
 *
 * `from` says where a resumed run stands: one that had no batch left ends there.
 */
export function finish<E extends Event>(
  from: Pick<DoneEvent, 'step' | 'epoch'> = { step: 0, epoch: 0 },
): OperatorFunction<E, E | DoneEvent> {
  return (events$) =>
    defer(() => {
      const started = performance.now();
      let done = false;
      let { step, epoch } = from;
      return concat(
        events$.pipe(
          tap((given) => {
            const event: Event = given;
            if (event.type === 'done') done = true;
            if (event.type === 'step') ({ step, epoch } = event);
          }),
        ),
        defer((): DoneEvent[] => {
          const seconds = (performance.now() - started) / 1000;
          return done ? [] : [{ type: 'done', time: Date.now(), reason: 'finished', step, epoch, seconds }];
        }),
      );
    });
}
