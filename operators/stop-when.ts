import { concat, defer, type ObservableInput, type OperatorFunction, takeWhile } from 'rxjs';
import type { Event } from '../src/events/event.js';

/**
 * Passes events on until `verdict` gives an ending for one: that event is still passed on, the source is unsubscribed,
 * and the ending's events are the last. What `earlyStop` and `guard` are made of.
 *
 * `observer` is called at each subscription, so that a verdict may remember.
 */
export function stopWhen<E extends Event, F extends Event>(
  observer: () => (event: E) => ObservableInput<F> | undefined,
): OperatorFunction<E, E | F> {
  return (events$) =>
    defer(() => {
      const verdict = observer();
      let ending: ObservableInput<F> | undefined;
      return concat(
        events$.pipe(
          takeWhile((event) => {
            ending = verdict(event);
            return ending === undefined;
          }, true),
        ),
        defer(() => ending ?? []),
      );
    });
}
