import { defer, Observable, type OperatorFunction, Subject, type Subscriber, takeUntil } from 'rxjs';
import { UserError } from '../src/base/errors.js';
import type { Disposable, Lease } from './lease.js';

/** What one trial makes of the leases: the pipeline that it would be alone, from `concatLease` on. */
export type LeaseWork<T extends Disposable, R> = (leases$: Observable<Lease<T>>) => Observable<R>;

/**
 * Several trainings on one stream of batches: each batch is loaded once and lent to all of them, and freed when the
 * last one's work on it ends. Emits the events of all, in the order in which they come.
 *
 * Each training works through its leases as it would alone, with its own validation, reports and end. Nobody runs
 * ahead of the slowest by more than the batches that `prefetch` keeps alive. One that ends, is pruned or fails lets go
 * of its leases and leaves the others running; the first failure is passed on when all have ended. A failure of the
 * batches is everybody's. Unsubscribing ends all.
 *
 * Batches are pulled once every training has subscribed to its leases (or ended), which it can do once, and no longer
 * than one of them takes any. They share plans, so that batch size, order and augmentation are the same for all; give
 * their validations a common cache to decode that once, too.
 *
 * @throws UserError when there is no training.
 * @example
 * const work = (trial: Trial, own: Run) => (leases$: Observable<Lease<Batch>>) =>
 *   leases$.pipe(
 *     concatLease((batch$) => batch$.pipe(trainStep(own))),
 *     report(trial, 'softDice'),
 *     prune(trial),
 *   );
 * prefetch(plans, load, { ahead: 2 }).pipe(lockstep([work(trial, run)]));
 */
export function lockstep<T extends Disposable, R>(
  works: readonly LeaseWork<T, R>[],
): OperatorFunction<Lease<T>, R> {
  if (works.length === 0) throw new UserError('lockstep: expected at least one training, got none');
  return (leases$) =>
    new Observable((subscriber) => {
      const takers = new Set<Subscriber<Lease<T>>>();
      let awaited = works.length;
      let running = works.length;
      let failure: { readonly error: unknown } | undefined;
      let started = false;
      const deserted$ = new Subject<void>();

      const lend = (lease: Lease<T>) => {
        const present = [...takers].filter(({ closed }) => !closed);
        if (present.length === 0) lease.end();
        else
          lease.split(present.length).forEach((part, i) => {
            const taker = present[i]!;
            // Work on an earlier part may have ended this taker.
            if (!taker.closed) taker.next(part);
            else part.end();
          });
      };
      const settle = () => {
        if (awaited > 0) return;
        if (takers.size === 0) deserted$.next();
        else if (!started && !subscriber.closed) {
          started = true;
          const each = (tell: (taker: Subscriber<Lease<T>>) => void) => [...takers].forEach(tell);
          const source = leases$.pipe(takeUntil(deserted$)).subscribe({
            next: lend,
            error: (error: unknown) => each((taker) => taker.error(error)),
            complete: () => each((taker) => taker.complete()),
          });
          subscriber.add(source);
        }
      };
      const ended = () => {
        if (--running > 0) return;
        if (failure) subscriber.error(failure.error);
        else subscriber.complete();
      };

      for (const work of works) {
        let waiting = true;
        const arrived = () => {
          if (waiting) awaited--;
          waiting = false;
        };
        const own$ = new Observable<Lease<T>>((taker) => {
          if (!waiting) throw new Error('lockstep: a training takes its leases once');
          arrived();
          takers.add(taker);
          taker.add(() => {
            takers.delete(taker);
            settle();
          });
          settle();
        });
        const done = () => {
          arrived();
          settle();
          ended();
        };
        subscriber.add(
          defer(() => work(own$)).subscribe({
            next: (event) => subscriber.next(event),
            error: (error: unknown) => {
              failure ??= { error };
              done();
            },
            complete: done,
          }),
        );
      }
    });
}
