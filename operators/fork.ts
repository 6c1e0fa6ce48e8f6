import { concat, concatAll, defer, ignoreElements, type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { Tensors } from '../src/data/batch.js';
import type { Event } from '../src/events/event.js';
import type { Scores } from '../src/events/scores.js';
import type { ForkPoints } from '../src/train/fork-points.js';
import { pastOf } from '../src/train/past.js';
import { restore } from '../src/train/restore.js';
import type { Run } from '../src/train/run.js';

/** What trainings that may begin alike share. */
export interface Fork {
  readonly points: ForkPoints;
  /** What a run is a function of beside its learning rates, as JSON; see `pastOf`. */
  readonly kind: unknown;
}

/**
 * Puts a run, before its first batch, to the furthest point that a run of the same past has kept (`keepFork`), and emits
 * the events of the epochs up to it but for steps: who listens hears each epoch's scores in order. The rest of
 * the run is bit for bit what it would have been.
 *
 * Stands outside the lease, after early stopping and the guard, whose memory is restored, and before `asRun`.
 *
 * @example
 * const fork = { points: forkPoints('results/forks'), kind: settings };
 * prefetch(run.plans(train), load, { ahead: 2 }).pipe(
 *   concatLease((batch$) => batch$.pipe(trainStep(run), validate(run, batches), keepFork(run, fork))),
 *   fromFork(run, fork),
 *   asRun(run),
 * );
 */
export function fromFork<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  { points, kind }: Fork,
): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    concat(
      defer(async () => {
        const point = await points.last(pastsOf(run, kind));
        if (!point) return [];
        restore(run, point.checkpoint);
        points.steps.shared += run.position;
        return point.events as Event<S>[];
      }).pipe(concatAll()),
      events$,
    );
}

/**
 * Passes events on, and keeps the run at the end of each epoch, for runs that begin alike, when the work on the
 * epoch's last batch has completed.
 *
 * Stands inside the lease, last, as `checkpoint` does.
 */
export function keepFork<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  { points, kind }: Fork,
): MonoTypeOperatorFunction<Event<S>> {
  return (events$) =>
    defer(() => {
      const heard: Event<S>[] = [];
      const save = async () => {
        const end = heard.find((event) => event.type === 'epoch');
        if (end) await points.keep(pastsOf(run, kind)[end.epoch - 1]!, run, end.epoch, heard);
      };
      return concat(
        events$.pipe(
          tap((event) => {
            if (event.type === 'step') points.steps.trained++;
            else heard.push(event);
          }),
        ),
        defer(save).pipe(ignoreElements()),
      );
    });
}

const known = new WeakMap<object, { readonly kind: unknown; readonly pasts: readonly string[] }>();

/** The digests of a run, made once: while it trains they stay as they are. */
function pastsOf<In extends Tensors, Out extends Tensors, Target extends Tensors, S extends Scores>(
  run: Run<In, Out, Target, S>,
  kind: unknown,
): readonly string[] {
  const found = known.get(run);
  if (found && found.kind === kind) return found.pasts;
  const pasts = pastOf(run, kind);
  known.set(run, { kind, pasts });
  return pasts;
}
