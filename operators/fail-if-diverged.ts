import { concat, defer, EMPTY, type MonoTypeOperatorFunction, tap, throwError } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { DoneEvent, Event } from '../src/events/event.js';

/** The error of a run that the guard stopped. */
export class DivergedError extends UserError {}

/**
 * Passes a run's events on, and fails after the last one where `guard` has stopped the run: a recipe then ends with
 * exit code 1. Stands last, so that loggers and the terminal have heard everything.
 *
 * @throws DivergedError that names the step and what helps.
 * @example
 * training$.pipe(logTo(run, jsonLines()), progress(run), failIfDiverged()).subscribe();
 */
export function failIfDiverged<E extends Event>(): MonoTypeOperatorFunction<E> {
  return (events$) =>
    defer(() => {
      let stopped: DoneEvent | undefined;
      const note = (value: E) => {
        const event: Event = value;
        if (event.type === 'done' && event.reason === 'guard') stopped = event;
      };
      return concat(
        events$.pipe(tap(note)),
        defer(() => (stopped ? throwError(() => diverged(stopped!)) : EMPTY)),
      );
    });
}

function diverged({ step }: DoneEvent): DivergedError {
  return new DivergedError(
    `the guard stopped the run at step ${step}, since it diverged; lower the learning rate (--lr), give --clip, or switch the guard off with --no-guard`,
    { step },
  );
}
