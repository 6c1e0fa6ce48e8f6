import { concat, defer, type MonoTypeOperatorFunction, type ObservableInput, takeWhile } from 'rxjs';
import type { Event } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';

/**
 * Passes events on until `verdict` gives an ending for one: that event is still passed on, the source is unsubscribed,
 * and the ending's events are the last. What `earlyStop` and `guard` are made of.
 *
 * `observer` is called at each subscription, so that a verdict may remember.
 */
export function stopWhen<S extends Scores>(
  observer: () => (event: Event<S>) => ObservableInput<Event<S>> | undefined,
): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    defer(() => {
      const verdict = observer();
      let ending: ObservableInput<Event<S>> | undefined;
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
